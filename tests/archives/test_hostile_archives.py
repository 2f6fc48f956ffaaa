"""A broken or malicious archive is refused with a reason, and leaves nothing behind."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings

from conversations import clock
from conversations.archives import json_elements
from conversations.archives.json_elements import elements
from conversations.errors import InvalidRequest
from conversations.models import ArchiveImport, Process
from tests.archives.importing import exported, imported, send
from tests.archives.samples import claude_conversation, said, zipped
from tests.clients import Api
from tests.waiting import until

TALK = claude_conversation("c", said("a", None, "human", "Hello"))
GOOD = {"conversations.json": [TALK]}


def two_of_a_name() -> bytes:
    return zipped({"conversations.json": "[]", "conversations.jsoN": "[]"}).replace(b".jsoN", b".json")


def link() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        info = zipfile.ZipInfo("conversations.json")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    return data.getvalue()


def encrypted() -> bytes:
    """Return an archive whose entries are marked as encrypted."""
    data = bytearray(zipped(GOOD, zipfile.ZIP_STORED))
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.index(magic) + offset
        data[at : at + 2] = struct.pack("<H", 1)
    return bytes(data)


def overlapping() -> bytes:
    """Return an archive in which two names lead to the same bytes."""
    data = bytearray(zipped({"a.txt": "x" * 99, "b.txt": "x" * 99}, zipfile.ZIP_STORED))
    second = data.rindex(b"PK\x01\x02")
    data[second + 42 : second + 46] = struct.pack("<I", 0)
    return bytes(data)


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "No file was sent"),
    "no archive": (lambda: b"Hello", "neither"),
    "half an archive": (lambda: zipped(GOOD)[:-30], "neither"),
    "an empty archive": (lambda: zipped({}), "no conversations"),
    "nothing that is known": (lambda: zipped({"photo.png": b"x"}), "no conversations"),
    "no list of conversations": (lambda: b'{"error": 1}', "no conversations"),
    "half a document": (lambda: b'[{"uuid": "a", "chat_messages": [', "cut"),
    "an archive in an archive": (lambda: zipped({"export.zip": zipped(GOOD)}), "another one in it"),
    "a path upwards": (lambda: zipped({**GOOD, "../../etc/passwd": "x"}), "leads out"),
    "a path from the root": (lambda: zipped({**GOOD, "/etc/passwd": "x"}), "leads out"),
    "a path of Windows": (lambda: zipped({**GOOD, "C:x": "x"}), "leads out"),
    "a name with a line in it": (lambda: zipped({**GOOD, "a\nb": "x"}), "such a name"),
    "two files of a name": (two_of_a_name, "same name"),
    "a link": (link, "Links"),
    "a password": (encrypted, "encrypted"),
    "files that overlap": (overlapping, "overlap"),
    "a rare compression": (lambda: zipped(GOOD, zipfile.ZIP_LZMA), "unsupported compression"),
    "a bomb": (lambda: zipped({**GOOD, "x": b"\0" * (30 << 20)}), "compressed too much"),
    "another manifest": (lambda: zipped({"manifest.json": {"format": "colloquy-archive/9"}}), "format must be"),
    "a manifest that is no JSON": (lambda: zipped({"manifest.json": "{"}), "manifest.json"),
}


def left() -> set[str]:
    folder = Path(settings.MEDIA_ROOT) / "imports"
    return {each.name for each in folder.iterdir()} if folder.exists() else set()


@pytest.mark.parametrize("name", HOSTILE)
def test_it_is_refused_and_leaves_nothing(api: Api, name: str) -> None:
    make, reason = HOSTILE[name]
    response = send(api, make())
    assert response.status_code == 400, response.text
    assert response.json()["error"]["type"] == "invalid_request_error"
    assert reason in response.json()["error"]["message"]
    assert not ArchiveImport.objects.filter(owner=api.user).exists()


def test_what_is_damaged_further_in_fails_and_says_where(api: Api, other: Api) -> None:
    data = bytearray(zipped({"conversations.json": [TALK] * 3, "x": b"y"}, zipfile.ZIP_STORED))
    at = data.rindex(b"Hello")
    data[at : at + 5] = b"H\xffllo"
    response = send(api, bytes(data))
    found = response.json()
    assert response.status_code in (202, 400), response.text
    assert "damaged" in str(found) or found["status"] in ("queued", "running")
    assert send(other, exported(api)).status_code == 202


def test_no_archive_stays_when_it_was_imported(api: Api) -> None:
    done = imported(api, zipped(GOOD))
    assert done["conversations"] == 1
    until(lambda: done["id"] not in left())


def test_a_form_without_a_file_and_too_many_imports(api: Api) -> None:
    assert api.http.post("/api/me/import/", files={"other": ("a", b"x")}).status_code == 400
    sent = {"file": ("export.zip", zipped(GOOD), "application/zip")}
    assert api.http.post("/api/me/import/", files=sent).status_code == 202
    elsewhere = Process.objects.create(leased_until=clock.now() + timedelta(hours=1))
    held = {"status": "running", "holder": elsewhere.pk}
    far = [ArchiveImport(owner=api.user, source="chatgpt", size=1, **held) for _ in range(3)]
    ArchiveImport.objects.bulk_create(far)
    assert send(api, zipped(GOOD)).status_code == 409
    for each in far:
        cancelled = api.post(f"me/imports/{each.pk}/cancel/", {})
        assert (cancelled.status_code, cancelled.json()["status"]) == (202, "running")
    ArchiveImport.objects.filter(owner=api.user).update(status="cancelled")
    elsewhere.delete()
    assert send(api, zipped(GOOD)).status_code == 202


def test_others_imports_are_not_there(api: Api, other: Api) -> None:
    id = imported(api, zipped(GOOD))["id"]
    assert other.get(f"me/imports/{id}/").status_code == 404
    assert other.post(f"me/imports/{id}/cancel/", {}).status_code == 404
    assert other.get("me/imports/").json()["results"] == []
    assert [each["id"] for each in api.get("me/imports/").json()["results"]] == [id]


DOCUMENT = b'[{"a": "}\\"{\\\\", "b": [{}, {"c": "{"}]},\n {"d": "\xc3\xa9"}]\n{"e": 1}'


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 1000])
def test_objects_are_found_however_the_document_is_read(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_elements, "CHUNK", chunk)
    found = list(elements(io.BytesIO(DOCUMENT), "x"))
    assert found == [b'{"a": "}\\"{\\\\", "b": [{}, {"c": "{"}]}', b'{"d": "\xc3\xa9"}', b'{"e": 1}']


def test_an_object_without_an_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_elements, "LIMIT", 100)
    monkeypatch.setattr(json_elements, "CHUNK", 10)
    with pytest.raises(InvalidRequest, match="more than 100 bytes"):
        list(elements(io.BytesIO(b'{"a": "' + b"x" * 200), "x"))
    with pytest.raises(InvalidRequest, match="cut"):
        list(elements(io.BytesIO(b'{"a": "x'), "x"))
