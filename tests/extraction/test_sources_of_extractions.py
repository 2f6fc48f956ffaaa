"""The sources of an extraction can be viewed, and quotes are located on the pages of a PDF."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from conversations.content.media import PDF
from tests.clients import Api
from tests.extraction.test_files_are_extracted_from import document
from tests.processes import ROOT

TEA = (ROOT / "extraction" / "samples" / "tea.pdf").read_bytes()
SCHEMA = {
    "type": "object",
    "properties": {"invoice_number": {"type": "string"}, "total": {"type": "number"}},
    "required": ["invoice_number", "total"],
    "additionalProperties": False,
}


@pytest.fixture
def extraction(api: Api, png: bytes) -> Any:
    """Provide an extraction from a text and a PDF."""
    content = [{"type": "text", "text": "An invoice 🍵"}, {**document(TEA, PDF), "title": "tea.pdf"}]
    response = api.post("extraction/extractions/?wait=true", {"schema": SCHEMA, "content": content})
    assert response.status_code == 201, response.text
    return response.json()


def test_sources_are_listed_and_nobody_elses(api: Api, other: Api, extraction: Any) -> None:
    path = f"extraction/extractions/{extraction['id']}/sources/"
    text, pdf = api.get(path).json()["results"]
    assert text == {
        "index": 0, "kind": "text", "title": None, "attachment": None, "media_type": None, "has_text": True, "pages": 0
    }  # fmt: skip
    assert (pdf["kind"], pdf["title"], pdf["media_type"], pdf["pages"]) == ("pdf", "tea.pdf", PDF, 2)
    assert api.get(f"attachments/{pdf['attachment']}/content/").content == TEA
    ours = [f"{path}{rest}" for rest in ("", "1/text/", "1/pages/1/", "1/pages/1/image/")]
    assert [other.get(each).status_code for each in ours] == [404] * 4
    missing = [f"{path}{rest}" for rest in ("2/text/", "0/pages/1/", "1/pages/0/", "1/pages/3/image/", "2/pages/1/")]
    assert [api.get(each).status_code for each in missing] == [404] * 5


def test_a_page_tells_where_the_quotes_stand_on_it(api: Api, extraction: Any) -> None:
    path = f"extraction/extractions/{extraction['id']}/sources/1/pages/1/"
    page = api.get(path).json()
    assert {quote["path"] for quote in page["quotes"]} == {
        each["path"] for each in extraction["evidence"] if each["page"] == 1
    }
    drawn = api.get(f"{path}image/", headers={"Accept": "image/*"})
    assert (drawn.status_code, drawn.headers["content-type"]) == (200, "image/png"), drawn.text
    picture = Image.open(io.BytesIO(drawn.content)).convert("L")
    assert picture.width / picture.height == pytest.approx(page["width"] / page["height"], rel=0.01)
    for quote in page["quotes"]:
        assert quote["boxes"]
        for left, top, width, height in quote["boxes"]:
            wide, high = picture.size
            inside = picture.crop((left * wide, top * high, (left + width) * wide, (top + height) * high))
            assert min(inside.tobytes()) < 128, "there is no ink where the quote is said to be"


def test_a_list_is_of_batches_items_or_of_all_others(api: Api, extraction: Any) -> None:
    def found(value: str) -> list[str]:
        results = api.get(f"extraction/extractions/?in_batch={value}").json()["results"]
        return [each["id"] for each in results]

    assert (found("false"), found("true")) == ([extraction["id"]], [])
    assert api.get("extraction/extractions/?in_batch=perhaps").status_code == 400
