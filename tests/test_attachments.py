"""Attachments are stored once, are accepted where Claude accepts them, and are deleted with their last reference."""

from __future__ import annotations

import base64
import io
import os
import subprocess
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.utils import timezone
from PIL import Image

from conversations.models import Attachment, Deletion, Turn, User
from conversations.services.deletion import account_deletion
from conversations.services.files import attachment_removal, attachments
from tests.clients import Api
from tests.files import pdf
from tests.processes import ROOT
from tests.waiting import until

PDF = pdf("What is it?")
LARGE = 150_000  # bytes, more than all the turns together may take


def image(width: int = 3, height: int = 2, seed: bytes | None = None) -> bytes:
    """Return a PNG; without a seed, one that is unique."""
    seed = seed or os.urandom(8)
    buffer = io.BytesIO()
    color = (seed[0], seed[1], seed[2])
    Image.new("RGB", (width, height), color).save(buffer, "PNG")
    return buffer.getvalue() + seed


def upload(api: Api, data: bytes) -> dict[str, Any]:
    response = api.http.post("/api/attachments/", files={"file": ("file", data)})
    assert response.status_code == 201, response.text
    found: dict[str, Any] = response.json()
    return found


def block(kind: str, id: str) -> dict[str, Any]:
    return {"type": kind, "source": {"type": "attachment", "attachment": id}}


def kept(sha256: str) -> bool:
    return default_storage.exists(f"{sha256[:2]}/{sha256}")


@pytest.mark.parametrize(("kind", "data"), [("image", PDF), ("image", b"words"), ("document", None)])
def test_a_block_takes_only_what_it_is_for(api: Api, kind: str, data: bytes | None) -> None:
    conversation = api.conversation()
    attachment = upload(api, data or image())
    result = {"type": "tool_result", "tool_use_id": "x", "content": [block(kind, attachment["id"])]}
    content = [block(kind, attachment["id"])]
    response = api.post(f"conversations/{conversation}/turns/", {"content": content})
    assert (response.status_code, response.json()["error"]["type"]) == (400, "invalid_request_error")
    assert api.post(f"conversations/{conversation}/count-tokens/", {"content": content}).status_code == 400
    assert api.post(f"conversations/{conversation}/turns/", {"content": [result]}).status_code == 400
    assert api.get(f"conversations/{conversation}/messages/").json()["results"] == []


def test_more_than_twenty_images_must_be_smaller(api: Api) -> None:
    conversation = api.conversation()
    large, small = upload(api, image(2001, 10))["id"], upload(api, image())["id"]
    assert api.ask([block("image", large)] + [block("image", small)] * 19, conversation)["status"] == "completed"
    at_once = [block("image", large)] + [block("image", small)] * 20
    refused = api.post(f"conversations/{api.conversation()}/turns/", {"content": at_once})
    assert (refused.status_code, refused.json()["error"]["details"]["width"]) == (400, 2001)
    # One more in the whole conversation is refused, too, and the conversation goes on.
    response = api.post(f"conversations/{conversation}/turns/", {"content": [block("image", small)]})
    assert (response.status_code, response.json()["error"]["details"]["width"]) == (400, 2001)
    assert api.ask("And now?", conversation)["status"] == "completed"


def test_files_that_are_too_heavy_together_are_refused_and_the_conversation_goes_on(api: Api) -> None:
    """In a question as well as in tool results."""
    conversation = api.conversation(tools=[{"name": "look", "input_schema": {"type": "object"}}])
    heavy = upload(api, PDF + os.urandom(14 * 1024 * 1024))["id"]
    turn = api.ask([block("document", heavy), {"type": "text", "text": "Look [[sandbox: tool=look]]"}], conversation)
    result = {"tool_use_id": turn["messages"][0]["content"][0]["id"], "content": [block("document", heavy)]}
    assert api.post(f"turns/{turn['id']}/tool-results/", {"results": [result]}).status_code == 413
    result["content"] = "too much to show"
    assert api.post(f"turns/{turn['id']}/tool-results/", {"results": [result]}).status_code == 202
    assert api.ended(turn["id"])["status"] == "completed"
    content = [block("document", heavy), {"type": "text", "text": "What is this?"}]
    response = api.post(f"conversations/{conversation}/turns/", {"content": content})
    assert (response.status_code, response.json()["error"]["type"]) == (413, "request_too_large")
    assert response.json()["error"]["details"]["limit"] == 32 * 1024 * 1024
    assert api.ask("And now?", conversation)["status"] == "completed"


def test_an_image_that_is_too_heavy_for_claude_is_refused(api: Api) -> None:
    attachment = upload(api, image() + os.urandom(8 * 1024 * 1024))
    content = [block("image", attachment["id"])]
    response = api.post(f"conversations/{api.conversation()}/turns/", {"content": content})
    assert (response.status_code, response.json()["error"]["details"]["attachment"]) == (400, attachment["id"])


def test_a_decompression_bomb_is_refused_unopened(api: Api) -> None:
    def chunk(name: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big")

    head = (60_000).to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 0])
    body = chunk(b"IDAT", zlib.compress(bytes(10_000_000))) + chunk(b"IEND", b"")
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + body
    response = api.http.post("/api/attachments/", files={"file": ("bomb.png", bomb)})
    assert (response.status_code, response.json()["error"]["type"]) == (400, "invalid_request_error")


def test_a_document_of_content_blocks_is_taken_and_its_images_are_kept_apart(api: Api, png: bytes) -> None:
    picture = {"type": "base64", "media_type": "image/png", "data": base64.b64encode(png).decode()}
    inner = [{"type": "text", "text": "A page"}, {"type": "image", "source": picture}]
    turn = api.ask([{"type": "document", "source": {"type": "content", "content": inner}}])
    path = api.get(f"conversations/{turn['conversation']}/messages/").json()["results"]
    text, shown = path[0]["content"][0]["source"]["content"]
    assert (text, shown["source"]["type"]) == (inner[0], "attachment")
    bad = [{"type": "document", "source": {"type": "content", "content": [{"type": "tool_use"}]}}]
    assert api.post(f"conversations/{api.conversation()}/turns/", {"content": bad}).status_code == 400


def test_it_goes_with_the_last_message_that_shows_it(api: Api, other: Api) -> None:
    data = image()
    first, theirs = upload(api, data), upload(other, data)
    conversations = [api.conversation(), api.conversation()]
    for conversation in conversations:
        api.ask([block("image", first["id"])], conversation)
    theirs_in = other.ask([block("image", theirs["id"])])["conversation"]
    api.http.delete(f"/api/conversations/{conversations[0]}/")
    assert api.get(f"attachments/{first['id']}/content/").content == data
    api.http.delete(f"/api/conversations/{conversations[1]}/")
    assert api.get(f"attachments/{first['id']}/content/").status_code == 404
    assert other.get(f"attachments/{theirs['id']}/content/").content == data  # whose bytes are the same
    other.http.delete(f"/api/conversations/{theirs_in}/")
    assert not kept(theirs["sha256"])


def test_it_goes_with_its_user(api: Api) -> None:
    attachment = upload(api, image())
    api.ask([block("image", attachment["id"])])
    assert kept(attachment["sha256"])
    account_deletion.delete_account(user=api.user, cause=Deletion.Cause.STAFF)
    assert not kept(attachment["sha256"])


def test_bytes_that_any_deletion_has_left_behind_are_removed_at_night(api: Api, other: Api) -> None:
    data = image()
    mine, theirs = upload(api, data), upload(other, data)
    Attachment.objects.filter(pk=mine["id"]).delete()
    attachment_removal.remove_unwanted_files()
    assert kept(theirs["sha256"])
    other.user.delete()
    assert kept(theirs["sha256"])
    attachment_removal.remove_unwanted_files()
    assert not kept(theirs["sha256"])


def test_what_an_extraction_is_made_from_stays(api: Api) -> None:
    attachment = upload(api, image())
    content = [block("image", attachment["id"])]
    schema = {"type": "object", "properties": {"name": {"type": "string"}}}
    done = api.post("extraction/extractions/?wait=true", {"schema": schema, "content": content})
    assert done.status_code == 201, done.text
    turn = api.ask(content)
    api.http.delete(f"/api/conversations/{turn['conversation']}/")
    assert api.get(f"attachments/{attachment['id']}/content/").status_code == 200


def test_what_was_never_used_goes_with_time(api: Api) -> None:
    old, new = upload(api, image()), upload(api, image())
    used = upload(api, image())
    api.ask([block("image", used["id"])])
    long_ago = timezone.now() - timedelta(days=8)
    Attachment.objects.filter(pk__in=(old["id"], used["id"])).update(created_at=long_ago)
    attachment_removal.remove_unused(older_than=timedelta(days=7))
    assert [kept(each["sha256"]) for each in (old, new, used)] == [False, True, True]


def test_the_same_bytes_may_come_and_go_at_once(api: Api, other: Api) -> None:
    """Whoever has an attachment can read it, however uploads and removals interleave."""
    data = image()

    def come_and_go(user: User) -> None:
        try:
            for _ in range(15):
                mine = attachments.store(owner=user, data=data)
                assert attachments.read_bytes(mine) == data
                attachment_removal.remove_if_unused(mine.pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(come_and_go, (api.user, other.user)))
    sha256 = attachments.store(owner=api.user, data=data).sha256
    assert kept(sha256)


def test_a_turn_ends_even_if_what_its_tool_showed_is_gone(api: Api) -> None:
    conversation = api.conversation(tools=[{"type": "platform", "name": "picture"}])
    turn = api.begin("Go [[sandbox: tool=picture; then; words=60; pace=0.05]]", conversation)
    until(lambda: Turn.objects.get(pk=turn["id"]).requests_sent == 2)  # by then it has been sent to Claude
    [shown] = [each for each in api.events(turn["id"], limit=12) if each["type"] == "tool_result"]
    source = shown["content"][1]["source"]
    with transaction.atomic():
        Attachment.objects.filter(pk=source["attachment"]).delete()
    assert api.ended(turn["id"])["status"] == "completed"


def bytes_of(conversations: list[str]) -> int:
    """Return the size of the rows of some conversations' messages and transcripts, as text."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(length(message::text)), 0) FROM conversations_message AS message "
            "WHERE conversation_id = ANY(%s::uuid[])",
            [conversations],
        )
        messages = cursor.fetchone()[0]
        cursor.execute(
            "SELECT coalesce(sum(length(piece.events::text)), 0) FROM conversations_journal AS piece "
            "JOIN conversations_turn AS turn ON turn.id = piece.turn_id WHERE turn.conversation_id = ANY(%s::uuid[])",
            [conversations],
        )
        return int(messages + cursor.fetchone()[0])


def test_a_large_image_in_thirty_turns_and_three_branches_is_one_file(api: Api) -> None:
    data = image() + os.urandom(LARGE)
    conversation = api.conversation()
    source = {"type": "base64", "media_type": "image/png", "data": base64.b64encode(data).decode()}
    first = api.ask([{"type": "image", "source": source}], conversation)
    shown = api.get(f"conversations/{conversation}/messages/").json()["results"][0]["content"][0]
    attachment = shown["source"]["attachment"]
    for number in range(29):
        # The image is in every fifth turn; the others have it in their history.
        again = [shown] if number % 5 == 0 else []
        parent = {"parent": first["messages"][0]["id"]} if number in (10, 20) else {}
        api.ask([*again, {"type": "text", "text": "And?"}], conversation, max_tokens=5, **parent)
    fork = api.post(f"conversations/{conversation}/fork/", {"message": first["messages"][0]["id"]}).json()["id"]
    assert bytes_of([conversation, fork]) < 100_000
    stored = Attachment.objects.get(pk=attachment)
    assert Attachment.objects.filter(owner=api.user).count() == 1
    assert kept(stored.sha256)


def test_a_bucket_can_be_named(tmp_path: Any) -> None:
    code = "from django.core.files.storage import storages; print(vars(storages['default'])['bucket_name'])"
    environment = {
        **os.environ,
        "COLLOQUY_S3_BUCKET": "pictures",
        "COLLOQUY_S3_ENDPOINT": "http://127.0.0.1:9",
        "COLLOQUY_DATA_DIR": str(tmp_path),
        "DATABASE_URL": "postgresql://nowhere/x",
    }
    done = subprocess.run(
        [sys.executable, "-c", f"import django; django.setup(); {code}"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == "pictures\n", done.stderr


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"%PDF-1.4 junk", "broken"),
        (pdf("A page")[:60], "broken"),
        (pdf("A page", encrypted=True), "encrypted"),
        (pdf(*["A page"] * 601), "601 pages"),
    ],
    ids=["junk", "cut", "encrypted", "too long"],
)
def test_a_pdf_that_cannot_be_opened_is_refused(api: Api, data: bytes, word: str) -> None:
    uploaded = api.http.post("/api/attachments/", files={"file": ("it.pdf", data)})
    source = {"type": "base64", "media_type": "application/pdf", "data": base64.b64encode(data).decode()}
    content = [{"type": "document", "source": source}, {"type": "text", "text": "What is it?"}]
    asked = api.post(f"conversations/{api.conversation()}/turns/", {"content": content})
    for response in (uploaded, asked):
        error = response.json()["error"]
        assert (response.status_code, error["type"]) == (415, "unsupported_media_type")
        assert word in error["message"]
    assert not Attachment.objects.filter(owner=api.user).exists()
