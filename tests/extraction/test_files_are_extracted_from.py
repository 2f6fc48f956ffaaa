"""Files are read when an extraction is created, or refused with a reason; their text can be requested."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from conversations.content.media import DOCX, PDF, XLSX
from tests import files
from tests.clients import Api

SCHEMA = {
    "type": "object",
    "properties": {"total": {"type": "number"}},
    "required": ["total"],
    "additionalProperties": False,
}
KINDS: list[tuple[bytes, str]] = [
    (files.pdf("Invoice", "Total: 12.50"), PDF),
    (files.word(["Total: 12.50"]), DOCX),
    (files.workbook(A=[["Total:", 12.5]]), XLSX),
    ("Größe\nTotal: 12.50".encode("cp1252"), "text/csv"),
    (b"<p>Total: <b>12.50</b></p>", "text/html"),
    (b"From: a@example.com\nTo: b@example.com\nSubject: x\n\nTotal: 12.50", "message/rfc822"),
]


def document(data: bytes, media_type: str) -> dict[str, Any]:
    source = {"type": "base64", "media_type": media_type, "data": base64.b64encode(data).decode()}
    return {"type": "document", "source": source}


def create(api: Api, *content: dict[str, Any]) -> Any:
    return api.post("extraction/extractions/?wait=true", {"schema": SCHEMA, "content": list(content)})


@pytest.mark.parametrize(("data", "media_type"), KINDS, ids=[kind[1][-20:] for kind in KINDS])
def test_a_file_is_read_and_its_text_can_be_had(api: Api, other: Api, data: bytes, media_type: str) -> None:
    response = create(api, {"type": "text", "text": "How much is it?"}, document(data, media_type))
    assert response.status_code == 201, response.text
    extraction = response.json()
    assert (extraction["status"], extraction["data"]) == ("succeeded", {"total": 12.5})
    path = f"extraction/extractions/{extraction['id']}/sources/1/text/"
    shown = api.get(path).json()
    assert "12.5" in shown["text"]
    pages = [shown["text"][page["start"] : page["end"]].strip() for page in shown["pages"]]
    assert pages == (["Invoice", "Total: 12.50"] if media_type == PDF else [])
    (evidence,) = extraction["evidence"]
    assert (evidence["source"], evidence["status"]) == (1, "exact")
    assert shown["text"][evidence["start"] : evidence["end"]] == evidence["quote"]
    assert api.get(path.replace("/1/", "/0/")).json()["text"] == "How much is it?"
    assert [api.get(path.replace("/1/", "/2/")).status_code, other.get(path).status_code] == [404, 404]


def test_an_attachment_is_read_as_what_it_is_said_to_be(api: Api) -> None:
    upload = api.http.post("/api/attachments/", files={"file": ("page.html", b"<p>Total: <b>12.50</b></p>")}).json()
    source = {"type": "attachment", "attachment": upload["id"], "media_type": "text/html"}
    extraction = create(api, {"type": "document", "source": source}).json()
    text = api.get(f"extraction/extractions/{extraction['id']}/sources/0/text/").json()["text"]
    assert (text, extraction["data"]) == ("Total: 12.50", {"total": 12.5})


@pytest.mark.parametrize(
    ("data", "media_type", "reason"),
    [
        (files.pdf("secret", encrypted=True), PDF, "encrypted"),
        (b"%PDF-1.4 nothing of the kind", PDF, "broken"),
        (files.pdf(*["x"] * 601), PDF, "601 pages"),
        (files.archive(word__document_xml=b"<!DOCTYPE x><x/>"), DOCX, "document type"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(api: Api, data: bytes, media_type: str, reason: str) -> None:
    response = create(api, {"type": "text", "text": "How much is it?"}, document(data, media_type))
    error = response.json()["error"]
    assert (response.status_code, error["type"]) == (415, "unsupported_media_type")
    assert reason in error["message"]
    assert list(error["details"]) == ["content.1.source"]
    assert api.get("extraction/extractions/").json()["results"] == []
