"""Files of every kind are converted to text with readable tables, and errors say why a file can't be read."""

from __future__ import annotations

import datetime
import json
import struct
from typing import Any

import pypdfium2
import pytest

from conversations.content.media import DOCX, PDF, XLSX
from conversations.errors import UnsupportedMediaType
from extraction.documents import formats, pdf
from extraction.documents.sources import Source
from extraction.evidence.finding import Claim, located
from extraction.evidence.leaves import leaves
from tests import files
from tests.conftest import SHARED

HTML = """<!doctype html><title>not shown</title><style>p {}</style>
<h1>Invoice <b>42</b></h1><p>Dear   Jane,<br>thank&nbsp;you &amp; bye</p><script>evil()</script>
<table><tr><th>Item<th>Price</tr><tr><td>Green <p>tea</p></td><td>4.00</td></tr><tr><td></td><td>5.00</td></tr></table>
<table><tr><td><table><tr><td>Inner<td>table</table><td>beside it</table><ul><li>one<li>two</ul>"""

MAIL = b"""From: Jane <jane@example.com>\r\nTo: Bob <bob@example.com>\r\nSubject: =?utf-8?q?R=C3=A9sum=C3=A9?=\r
Date: Fri, 27 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=B\r
\r\n--B\r\nContent-Type: text/html; charset=iso-8859-1\r\n\r\n<p>The caf\xe9 costs <b>5</b></p>\r
--B\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename="a.pdf"\r\n\r\nAAAA\r\n--B--\r\n"""

BOMB = files.archive(word__document_xml=b"<a/>", word__media_bin=bytes(123_457)).replace(
    struct.pack("<I", 123_457), struct.pack("<I", 300 << 20)
)


def test_a_pdf_has_the_places_of_its_pages() -> None:
    text = formats.read(files.pdf("Invoice 7\nTotal 19,99 €", "", "Page three"), PDF)
    assert text.text == "Invoice 7\nTotal 19,99 €\f\fPage three"
    assert [text.text[start:][:4] for start in text.pages] == ["Invo", "\fPag", "Page"]


def test_some_pages_are_a_pdf_of_its_own() -> None:
    part = pdf.cut(files.pdf("one", "two", "three"), 2, 3)
    assert formats.read(part, PDF).text == "two\fthree"


def test_a_word_document_has_its_header_paragraphs_tables_and_footer() -> None:
    made = files.word(["Rechnung 7", "Total:\t19,99 €"], [["Item", "Price"], ["Tea", "4.00"]], "ACME", "Page 1")
    text = formats.read(made, DOCX)
    assert text.text.split("\n") == [
        "ACME",
        "Rechnung 7",
        "Total:\t19,99 €",
        "Item | Price",
        "Tea | 4.00",
        "",
        "Page 1",
    ]


def test_a_spreadsheet_has_its_sheets_and_rows() -> None:
    rows: list[list[Any]] = [
        ["Date", "Amount", None],
        [datetime.date(2026, 1, 2), 19.99, True],
        [],
        [None, 0.1 + 0.2, None],
    ]
    made = files.workbook(First=rows, Second=[["a|b", datetime.datetime(2026, 1, 2, 3, 4)]])
    assert formats.read(made, XLSX).text.split("\n") == [
        "Sheet: First",
        "Date | Amount",
        "2026-01-02 | 19.99 | TRUE",
        " | 0.3",
        "",
        "Sheet: Second",
        "a|b | 2026-01-02 03:04:00",
    ]


def test_html_is_read_as_it_is_seen() -> None:
    assert formats.read(HTML.encode(), "text/html").text.split("\n") == [
        *("Invoice 42", "", "Dear Jane,", "thank\xa0you & bye", ""),
        *("Item | Price", "Green tea | 4.00", " | 5.00", ""),
        *("Inner | table", "", "beside it", "", "- one", "- two"),
    ]


def test_elements_in_elements_lose_nothing() -> None:
    deep = b"<div>" * 1000 + b"Total: 5" + b"</div>" * 1000 + b"after"
    assert formats.read(deep, "text/html").text == "Total: 5\nafter"
    with pytest.raises(UnsupportedMediaType, match="nested too deep"):
        formats.read(b"<p>before</p>" + b"<div>" * 5000 + b"Total: 5", "text/html")


def test_a_mail_has_its_headers_its_body_and_the_names_of_what_is_attached() -> None:
    assert formats.read(MAIL, "message/rfc822").text.split("\n") == [
        *("From: Jane <jane@example.com>", "To: Bob <bob@example.com>"),
        *("Date: Fri, 27 Nov 2026 10:00:00 +0000", "Subject: Résumé"),
        *("", "The café costs 5", "", "Attachments: a.pdf"),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_table_in_any_encoding_is_read(encoding: str) -> None:
    table = "Größe;Preis\r\nMüller;3,50 €\r\nÉtude;4\r\n"
    assert formats.read(table.encode(encoding), "text/csv").text == table.replace("\r\n", "\n")


def test_a_japanese_table_is_read() -> None:
    table = "日付,金額\n2026年1月2日,千円\nお茶,三百円\n"
    assert formats.read(table.encode("shift_jis"), "text/csv").text == table


@pytest.mark.parametrize(
    ("data", "said", "read"),
    [
        (HTML.encode(), "text/plain", "text/html"),
        (MAIL.replace(b"\xe9", b"e"), "text/plain", "message/rfc822"),
        (b"Dear Bob,\nFrom: here to eternity: it is", "text/plain", "text/plain"),
        (b"a < b\n<table> is a word", "text/plain", "text/plain"),
        (b"<p>part of a page</p>", "text/html", "text/html"),
        (files.word(["x"]), "text/csv", DOCX),
        (files.workbook(A=[["x"]]), DOCX, XLSX),
        (files.pdf("x"), "text/html", PDF),
    ],
)
def test_a_file_is_what_its_content_is(data: bytes, said: str, read: str) -> None:
    assert formats.type_of(data, said) == read


@pytest.mark.parametrize(
    ("data", "said", "reason"),
    [
        (files.pdf("secret", encrypted=True), PDF, "encrypted"),
        (b"%PDF-1.4 nothing of the kind", PDF, "broken"),
        (files.pdf(*["x"] * 601), PDF, "601 pages"),
        (files.archive(word__document_xml=b"<broken"), DOCX, r"document is broken: it can't be read as Word"),
        (files.word([" "]), DOCX, "no text"),
        (files.workbook(A=[["x"]])[:-100], XLSX, "broken"),
        (files.archive(xl__workbook_xml=b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"), XLSX, "document type"),
        (BOMB, DOCX, "unpacked"),
        (b"\xff\xff\x00\x01", "text/csv", "type is not supported"),
        (b"<html><head><title>nothing</title></head></html>", "text/html", "no text"),
        (b" ", "text/html", "no text"),
    ],
)
def test_what_cannot_be_read_says_why(data: bytes, said: str, reason: str) -> None:
    with pytest.raises(UnsupportedMediaType, match=reason):
        formats.read(data, said)


def test_text_beyond_the_limit_is_refused() -> None:
    with pytest.raises(UnsupportedMediaType, match="5,000,000 characters"):
        formats.read(b"x y\n" * 1_250_001, "text/csv")


def test_what_cannot_be_stored_is_left_out() -> None:
    assert formats.read("a\x0cb\x01\r\nc\ufffe\r".encode(), "text/plain").text == "a\x0cb\nc\n"


@pytest.mark.skipif(not (SHARED / "documents").is_dir(), reason="the invoices are not here")
@pytest.mark.parametrize("name", ["AmazonWebServices", "free_fiber", "oyo"])
def test_values_of_real_invoices_are_found_in_their_own_text(name: str) -> None:
    folder = SHARED / "documents" / "invoices"
    text = formats.read((folder / f"{name}.pdf").read_bytes(), PDF)
    true: list[tuple[str, Any]] = [
        leaf for leaf in leaves(json.loads((folder / f"{name}.json").read_text())) if isinstance(leaf[1], str)
    ]
    claims = [Claim(path, value.strip().upper()) for path, value in true]
    source = Source(0, "pdf", text.text, tuple(text.pages))
    evidence = located([source], claims)
    assert sum(each.status in ("exact", "fuzzy") for each in evidence) >= 4
    with pypdfium2.PdfDocument(folder / f"{name}.pdf") as document:
        pages = [page.get_textpage().get_text_bounded().replace("\r", "") for page in document]
    for each in (each for each in evidence if each.start is not None):
        assert text.text[each.start : each.end].casefold() == each.quote.casefold()
        assert each.page is not None
        assert text.text[each.start : each.end] in pages[each.page - 1]
    assert all(
        each.status != "not_found" for (_, value), each in zip(true, evidence, strict=True) if value in text.text
    )
