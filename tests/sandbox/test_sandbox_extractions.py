"""The sandbox finds values near words that resemble the fields' names, and table rows, and quotes them."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from conversations.sandbox.filled_schema import filled
from conversations.sandbox.structured_replies import Unreadable, structured_reply
from extraction.schemas.grouping import groups
from tests import files

STRING, NUMBER = {"type": "string"}, {"type": "number"}
INVOICE = """ACME Tea Ltd.
Invoice No. INV-2026-0042   Date: 27 November 2026
Due date: 11 December 2026
Vendor: ACME Tea Ltd.   Email: billing@acme.example
Customer: Jane Doe

{table}
Subtotal 43.00
VAT 20% 8.60
Total EUR 51.60
Paid: no
Tags: tea, leaves
"""
BARS = "Item | Qty | Unit price | Amount\n--- | --- | ---\nGreen tea | 2 | 4.00 | 8.00\nEarl Grey | 10 | 3.50 | 35.00"
SPACES = "Description Quantity Price Total\nGreen tea 2 4.00 8.00\nEarl Grey 10 3.50 35.00"
COMMAS = 'description,quantity,price,total\n"Green tea",2,4.00,8.00\nEarl Grey,10,3.50,35.00'


def of(**fields: Any) -> dict[str, Any]:
    """Return the schema of an object with these required fields."""
    return {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}


LINE = of(description=STRING, quantity={"type": "integer"}, price=NUMBER, total=NUMBER)
SCHEMA = of(
    invoice_number=STRING,
    date={"type": "string", "format": "date"},
    dueDate={"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]},
    vendor=of(name=STRING, email={"type": ["string", "null"]}, phone={"type": ["string", "null"]}),
    customer=STRING,
    currency=STRING,
    total=NUMBER,
    tax=NUMBER,
    paid={"type": "boolean"},
    tags={"type": "array", "items": STRING},
    lines={"type": "array", "items": LINE},
)
DATA = {
    "invoice_number": "INV-2026-0042",
    "date": "2026-11-27",
    "dueDate": "2026-12-11",
    "vendor": {"name": "ACME Tea Ltd.", "email": "billing@acme.example", "phone": None},
    "customer": "Jane Doe",
    "currency": "EUR",
    "total": 51.6,
    "tax": 8.6,
    "paid": False,
    "tags": ["tea", "leaves"],
    "lines": [
        {"description": "Green tea", "quantity": 2, "price": 4.0, "total": 8.0},
        {"description": "Earl Grey", "quantity": 10, "price": 3.5, "total": 35.0},
    ],
}


@pytest.mark.parametrize("table", [BARS, SPACES, COMMAS])
def test_an_invoice_is_read(table: str) -> None:
    text = INVOICE.format(table=table)
    found = filled(SCHEMA, text)
    assert found.value == DATA
    quotes = {each["path"]: each["quote"] for each in found.evidence}
    assert all(quote in text for quote in quotes.values())
    assert (quotes["/dueDate"], quotes["/lines/1/price"], quotes["/tags/1"]) == ("11 December 2026", "3.50", "leaves")
    assert "/vendor/phone" not in quotes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Total: 1,234.50", 1234.5),
        ("Total: 1.234,50 €", 1234.5),
        ("Total 1'234", 1234),
        ("Total: -5", -5),
        ("Rows 3, total 12,5", 12.5),
        ("Subtotal 4 Total 5", 5),
    ],
)
def test_numbers_are_read_as_they_are_written(text: str, expected: float) -> None:
    assert filled(of(total=NUMBER), text).value == {"total": expected}


@pytest.mark.parametrize("text", ["2026-01-02", "2.1.2026", "02/01/2026", "2 January 2026", "Jan 2, 2026"])
def test_dates_are_read_as_they_are_written(text: str) -> None:
    assert filled(of(date={"type": "string", "format": "date"}), f"Date: {text}").value == {"date": "2026-01-02"}


def test_what_need_not_be_there_is_left_out_where_the_text_has_nothing() -> None:
    schema = {
        "type": "object",
        "properties": {"total": NUMBER, "note": STRING, "lines": {"type": "array", "items": LINE}},
    }
    assert filled(schema, "Total: 5").value == {"total": 5, "lines": []}


def request(content: Any, system: str = "", schema: Any = None) -> dict[str, Any]:
    """Return the body of a request, with the schema as its output format or in the system prompt."""
    config = {"output_config": {"format": {"type": "json_schema", "schema": schema}}} if schema else {}
    return {"messages": [{"role": "user", "content": content}], "system": system, **config}


JANE = [{"type": "text", "text": "Contact Jane at jane@example.com [[sandbox: pace=0]]"}]
BOTH = of(name=STRING, email=STRING)
QUOTED = {
    "data": {"name": "Jane", "email": "jane@example.com"},
    "evidence": [{"path": "/name", "quote": "Jane"}, {"path": "/email", "quote": "jane@example.com"}],
}


def test_evidence_is_given_where_the_schema_has_it() -> None:
    (group,) = groups(BOTH, evidence=True, partial=False)
    assert json.loads(structured_reply(request(JANE, schema=group.grammar)) or "") == QUOTED


def test_evidence_is_given_where_it_is_asked_for_in_words() -> None:
    words = f"a single JSON object of two fields, data and evidence. data satisfies this:\n\n{json.dumps(BOTH)}"
    assert json.loads(structured_reply(request(JANE, words)) or "") == QUOTED
    last = [*JANE, {"type": "text", "text": f"Extract these now: {words}"}]
    assert json.loads(structured_reply(request(last)) or "") == QUOTED


def test_a_correction_is_made_from_what_was_given_at_first() -> None:
    asked = request(JANE, json.dumps(BOTH))
    asked["messages"] += [
        {"role": "assistant", "content": "{}"},
        {"role": "user", "content": "That does not satisfy the schema:\n\n- /name: Bob is required"},
    ]
    assert json.loads(structured_reply(asked) or "") == QUOTED["data"]


def test_the_text_of_a_pdf_is_read_and_a_pdf_without_any_is_not() -> None:
    def document(*pages: str) -> list[dict[str, Any]]:
        data = base64.b64encode(files.pdf(*pages)).decode()
        return [{"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": data}}]

    asked = request(document("Page one", "Total: 12.50"), schema=of(total=NUMBER))
    assert json.loads(structured_reply(asked) or "") == {"total": 12.5}
    with pytest.raises(Unreadable):
        structured_reply(request([*document(""), *JANE], schema=of(total=NUMBER)))


def test_where_no_json_is_asked_for_there_is_none() -> None:
    assert structured_reply(request(JANE)) is None
