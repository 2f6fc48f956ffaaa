"""Office files are stored as attachments, and refused where they would be sent to Claude as they are."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from conversations.content.media import DOCX, XLSX
from tests import files
from tests.clients import Api

FILES = {
    "letter.docx": (files.word(["Hello"]), DOCX),
    "table.xlsx": (files.workbook(A=[["x", 1]]), XLSX),
    "table.csv": ("Größe;1".encode("cp1252"), "text/csv"),
    "page.html": ("<p>Größe".encode("cp1252"), "text/html"),
    "letter.eml": ("Subject: Größe\n\nx".encode("cp1252"), "message/rfc822"),
}


def upload(api: Api, name: str, data: bytes) -> Any:
    return api.http.post("/api/attachments/", files={"file": (name, data)})


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_kept_and_no_turn_takes_it(api: Api, name: str) -> None:
    data, media_type = FILES[name]
    attachment = upload(api, name, data).json()
    assert attachment["media_type"] == media_type
    content = api.get(f"attachments/{attachment['id']}/content/")
    assert (content.content, content.headers["Content-Disposition"]) == (data, "attachment")
    sources = [
        {"type": "attachment", "attachment": attachment["id"]},
        {"type": "base64", "media_type": media_type, "data": base64.b64encode(data).decode()},
    ]
    conversation = api.conversation()
    for source in sources:
        body = {"content": [{"type": "document", "source": source}]}
        response = api.post(f"conversations/{conversation}/turns/", body)
        assert (response.status_code, response.json()["error"]["type"]) == (415, "unsupported_media_type")
    assert api.get(f"conversations/{conversation}/messages/").json()["results"] == []


@pytest.mark.parametrize("name", ["page.html", "letter.eml", "table.csv", "notes.txt"])
def test_text_is_text_whatever_it_is_sent_as(api: Api, name: str) -> None:
    assert upload(api, name, "<p>Größe".encode()).json()["media_type"] == "text/plain"


@pytest.mark.parametrize("data", [files.archive(some_txt=b"x"), b"\xd0\xcf\x11\xe0 an old file", b"\x00\x01"])
def test_other_files_are_refused(api: Api, data: bytes) -> None:
    assert upload(api, "letter.docx", data).status_code == 415
