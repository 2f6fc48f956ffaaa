"""Each value of an extraction has its place in the source, checked against the source's text."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from conversations.sandbox.server import Sandbox
from tests.clients import Api
from tests.conftest import SHARED
from tests.extraction.test_extracting import BY_PROMPT, JANE, NAME_AND_EMAIL, extract
from tests.processes import ROOT

TEA = ROOT / "extraction" / "samples" / "tea.pdf"
INVOICES = sorted((SHARED / "documents" / "invoices").glob("*.pdf"))  # not on every machine
SPLIT = {"type": "object", "properties": {"total": {"type": "number"}}, "required": ["total"]}


def text_of(api: Api, extraction: dict[str, Any], index: int = 0) -> dict[str, Any]:
    response = api.get(f"extraction/extractions/{extraction['id']}/sources/{index}/text/")
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


@pytest.mark.parametrize("schema", [NAME_AND_EMAIL, BY_PROMPT])
def test_jane_stands_where_it_is_said(api: Api, schema: dict[str, Any]) -> None:
    extraction = extract(api, JANE, schema)
    assert extraction["data"] == {"name": "Jane", "email": "jane@example.com"}
    source = text_of(api, extraction)
    assert source == {"index": 0, "text": JANE, "pages": []}
    found = {each["path"]: each for each in extraction["evidence"]}
    assert found.keys() == {"/name", "/email"}
    for path, quote in (("/name", "Jane"), ("/email", "jane@example.com")):
        assert (found[path]["quote"], found[path]["status"], found[path]["source"]) == (quote, "exact", 0)
        assert JANE[found[path]["start"] : found[path]["end"]] == quote


def test_data_without_evidence_is_cheaper(api: Api, other: Api, sandbox: Sandbox) -> None:
    dear, cheap = extract(api, JANE), extract(other, JANE, evidence=False)
    assert (cheap["evidence"], cheap["data"]) == ([], dear["data"])
    assert cheap["usage"]["output_tokens"] < dear["usage"]["output_tokens"]
    assert "evidence" not in str(sandbox.requests[-1].body)


def test_a_fabricated_quote_is_not_found(api: Api) -> None:
    said = '{"data": {"name": "Zoe", "email": "z@x"}, "evidence": [{"path": "/name", "quote": "Zoe\\u002c our chair"}]}'
    extraction = extract(api, f"Contact Jane. [[sandbox: json={json.dumps(said)}]]", max_attempts=1)
    assert {each["path"]: each["status"] for each in extraction["evidence"]}["/name"] == "not_found"


def test_offsets_are_in_code_points_whatever_comes_before(api: Api) -> None:
    text = "🙂👩‍👩‍👧 é é 日本 " + JANE
    [name, _] = extract(api, text)["evidence"]
    assert text[name["start"] : name["end"]] == name["quote"]


@pytest.mark.parametrize("path", [TEA, *INVOICES[:1]], ids=lambda path: path.name)
def test_a_pdf_has_pages_and_evidence_says_which(api: Api, path: Path) -> None:
    data = base64.b64encode(path.read_bytes()).decode()
    source = {"type": "base64", "media_type": "application/pdf", "data": data}
    extraction = extract(api, [{"type": "document", "source": source}], SPLIT)
    text = text_of(api, extraction)
    assert [page["page"] for page in text["pages"]] == list(range(1, len(text["pages"]) + 1))
    for each in extraction["evidence"]:
        assert each["status"] in ("exact", "fuzzy")
        assert each["page"] >= 1
        if each["status"] == "exact":
            assert text["text"][each["start"] : each["end"]] == each["quote"]


@pytest.mark.parametrize("index", [1, 999999999, "x", -1])
def test_there_is_no_text_of_what_is_no_source(api: Api, index: Any) -> None:
    extraction = extract(api, JANE)
    assert api.get(f"extraction/extractions/{extraction['id']}/sources/{index}/text/").status_code == 404


def test_a_file_that_cannot_be_read_is_refused_when_it_is_sent(api: Api) -> None:
    broken = base64.b64encode(b"%PDF-1.7 nothing of a PDF").decode()
    source = {"type": "base64", "media_type": "application/pdf", "data": broken}
    body = {"schema": NAME_AND_EMAIL, "content": [{"type": "document", "source": source}]}
    response = api.post("extraction/extractions/", body)
    assert response.status_code == 415, response.text
    assert "content.0.source" in response.json()["error"]["details"]
    assert api.get("extraction/extractions/").json()["results"] == []
