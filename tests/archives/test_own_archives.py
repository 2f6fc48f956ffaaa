"""All of a user's data goes into one archive, and an import restores it: once, however often it is imported."""

from __future__ import annotations

import io
import json
import uuid
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings

from config import tasks
from conversations.models import ArchiveImport, Conversation, Usage
from conversations.services import imports
from conversations.services.notices import notify
from tests.archives.importing import exported, imported, lines
from tests.archives.samples import zipped
from tests.archives.worlds import WORLDS, give, without_ids
from tests.clients import Api
from tests.processes import ServerProcess
from tests.waiting import until


def everything(archive: bytes) -> tuple[list[Any], list[Any]]:
    """Return the conversations and attachments of an archive, without the facts and ids that differ between exports."""
    files = lines(archive, "attachments.jsonl")
    told = [{name: value for name, value in each.items() if name != "id"} for each in files]
    return without_ids(lines(archive, "conversations.jsonl"), files), sorted(told, key=lambda each: each["sha256"])


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(world=WORLDS)
def test_export_import_export_is_the_same(server: ServerProcess, world: list[dict[str, Any]]) -> None:
    with Api(server.url) as api, Api(server.url) as other:
        give(api.user, world)
        archive = exported(api)
        done = imported(other, archive)
        assert done["problems"] == []
        assert done["conversations"] == len(world)
        copy = exported(other)
        assert everything(copy) == everything(archive)
        assert imported(other, archive)["skipped"] == len(world)
        assert imported(api, copy)["skipped"] == len(world)
        assert everything(exported(other)) == everything(archive)
        assert everything(exported(api)) == everything(archive)


def test_facts_are_told_and_never_imported(api: Api, other: Api) -> None:
    conversation = api.conversation(title="Tea")
    turn = api.ask("Hello", conversation)
    api.post(f"conversations/{conversation}/shares/", {"user": other.user.username, "role": "reader"})
    archive = exported(api)
    [usage] = lines(archive, "facts/usage.jsonl")
    assert (usage["turn"], usage["cost"]) == (turn["id"], turn["cost"])
    assert [each["messages"] for each in lines(archive, "facts/turns.jsonl")] == [[turn["messages"][0]["id"]]]
    assert [each["user"] for each in lines(archive, "facts/shares.jsonl")] == [other.user.username]
    imported(other, archive)
    assert not Usage.objects.filter(user=other.user).exists()
    assert lines(exported(other), "facts/turns.jsonl") == []
    manifest = json.loads(zipfile.ZipFile(io.BytesIO(archive)).read("manifest.json"))
    assert manifest["format"] == "colloquy-archive/1"
    assert manifest["lines"]["conversations.jsonl"] == 1


def test_what_was_deleted_comes_back_and_can_go_on(api: Api, png: bytes) -> None:
    file = api.http.post("/api/attachments/", files={"file": ("a.png", png, "image/png")}).json()
    image = {"type": "image", "source": {"type": "attachment", "attachment": file["id"]}}
    conversation = api.conversation(title="Tea")
    api.ask([image, {"type": "text", "text": "What is this?"}], conversation)
    archive = exported(api)
    api.http.delete(f"/api/conversations/{conversation}/")
    assert imported(api, archive)["conversations"] == 1
    [found] = api.get("conversations/").json()["results"]
    assert api.ask("And now?", found["id"])["status"] == "completed"
    assert api.get("conversations/?q=what").json()["results"][0]["id"] == found["id"]


def test_a_temporary_conversation_has_a_day_from_its_import(api: Api, other: Api) -> None:
    conversation = api.conversation(title="Tea", temporary=True)
    old = timezone.now() - timedelta(days=3)
    Conversation.objects.filter(pk=conversation).update(created_at=old)
    imported(other, exported(api))
    single = api.get(f"conversations/{conversation}/export/").json()
    assert other.post("conversations/import/", single).json()["temporary"] is True
    tasks.remove_temporary()
    copies = Conversation.objects.filter(owner=other.user, temporary=True)
    assert copies.count() == 2
    copies.update(imported_at=old, created_at=old)
    tasks.remove_temporary()
    assert copies.count() == 0


def test_one_bad_line_does_not_keep_the_others(api: Api, other: Api) -> None:
    for title in ("One", "Two", "Three"):
        api.ask("Hello", api.conversation(title=title))
    archive = zipfile.ZipFile(io.BytesIO(exported(api)))
    files = {name: archive.read(name) for name in archive.namelist()}
    first, second, third = files["conversations.jsonl"].splitlines()
    second = second.replace(b'"role":"user"', b'"role":"assistant"')
    files["conversations.jsonl"] = b"\n".join([first, second, b'{"format": 1}', b"{oh}", third])
    done = imported(other, zipped(files))
    assert (done["done"], done["total"], done["conversations"], done["failed"]) == (5, 5, 2, 3)
    assert [each["entry"] for each in done["problems"]] == [f"conversations.jsonl:{number}" for number in (2, 3, 4)]
    titles = {each["title"] for each in other.get("conversations/").json()["results"]}
    assert titles == {"One", "Three"}


def test_entries_that_the_manifest_tells_of_and_are_not_there_are_told(api: Api, other: Api) -> None:
    for title in ("One", "Two"):
        api.conversation(title=title)
    archive = zipfile.ZipFile(io.BytesIO(exported(api)))
    files = {name: archive.read(name) for name in archive.namelist()}
    files["conversations.jsonl"] = files["conversations.jsonl"].splitlines(keepends=True)[0]
    done = imported(other, zipped(files))
    assert (done["total"], done["conversations"], done["failed"]) == (1, 1, 0)
    told = "1 of the 2 entries that manifest.json tells of are missing."
    assert done["problems"] == [{"entry": "conversations.jsonl", "message": told}]


@pytest.mark.parametrize("done", [0, 1, 2])
def test_it_goes_on_where_another_process_was(api: Api, other: Api, done: int) -> None:
    """After a crash, the entries that were counted before are not read again."""
    for title in ("One", "Two"):
        api.conversation(title=title)
    archive = exported(api)
    job = imports.create(owner=other.user, source="colloquy", file=io.BytesIO(archive), size=len(archive))
    ArchiveImport.objects.filter(pk=job.pk).update(done=done)
    notify("queued-import", job.pk)
    until(lambda: other.get(f"me/imports/{job.pk}/").json()["finished_at"])
    found = other.get(f"me/imports/{job.pk}/").json()
    assert (found["status"], found["done"], found["conversations"]) == ("completed", 2, 2 - done)


def test_what_a_dead_process_ran_is_taken_over(api: Api) -> None:
    job = ArchiveImport.objects.create(owner=api.user, source="chatgpt", size=1, status="running", fence=1)
    imports.settle(id=job.pk, by=uuid.uuid4())
    job.refresh_from_db()
    assert job.status in ("queued", "running", "failed")  # the server may have begun it: its archive is missing
    ArchiveImport.objects.filter(pk=job.pk).update(status="running", fence=99, holder=None)
    imports.settle(id=job.pk, by=uuid.uuid4())
    assert api.get(f"me/imports/{job.pk}/").json()["status"] == "failed"
