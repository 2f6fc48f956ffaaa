# ruff: noqa: RUF001 - quotation marks and dashes are tested here
"""Text is decoded by its actual encoding: a declared one is used only where it can be right."""

from __future__ import annotations

import codecs
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extraction.documents import formats
from extraction.documents.text import LIMIT, clean, decoded, row

SAID = "Größe: 5 € – “gut”, l’été"


def html(charset: str, text: str = SAID) -> str:
    return f'<html><head><meta charset="{charset}"></head><body><p>{text}</p></body></html>'


@pytest.mark.parametrize("charset", ["utf-8", "windows-1252", "cp1252", "UTF8"])
def test_a_page_is_in_the_encoding_that_it_declares(charset: str) -> None:
    assert formats.read(html(charset).encode(charset), "text/html").text == SAID


def test_latin_1_is_that_of_windows() -> None:
    """Browsers do the same: most pages that declare it use the quotation marks and the euro of Windows-1252."""
    for charset in ("iso-8859-1", "latin1"):
        assert formats.read(html(charset).encode("cp1252"), "text/html").text == SAID


@pytest.mark.parametrize("charset", ["shift_jis", "iso-2022-jp", "euc-jp"])
def test_japanese_pages_are_in_the_encoding_that_they_declare(charset: str) -> None:
    said = "請求書 日本語 テスト"
    assert formats.read(html(charset, said).encode(charset), "text/html").text == said


@pytest.mark.parametrize(
    "charset", ["utf-16", "utf-16le", "utf-32", "utf-7", "unicode_escape", "rot13", "none-such", "hex"]
)
def test_an_encoding_that_it_cannot_have_is_not_believed(charset: str) -> None:
    said = "C:\\new +AGE- 5 \N{EURO SIGN}"
    for padding in ("", "x"):
        assert formats.read(html(charset, said + padding).encode(), "text/html").text == said + padding


def test_a_page_that_is_not_what_it_declares_is_read_as_what_it_looks_like() -> None:
    assert formats.read(html("utf-8").encode("cp1252"), "text/html").text == SAID
    assert formats.read(html("ascii").encode(), "text/html").text == SAID


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_mark_at_the_beginning_says_more_than_nothing(encoding: str) -> None:
    assert formats.read(f"<html><body><p>{SAID}".encode(encoding), "text/html").text == SAID


def mail(charset: str, body: bytes) -> bytes:
    head = f'From: a@b.c\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset="{charset}"\r\n'
    return f"{head}Content-Transfer-Encoding: 8bit\r\n\r\n".encode() + body


@pytest.mark.parametrize(
    ("charset", "encoding"), [("utf-8", "utf-8"), ("iso-8859-1", "cp1252"), ("none-such", "utf-8")]
)
def test_a_mail_is_in_the_encoding_that_it_declares(charset: str, encoding: str) -> None:
    assert formats.read(mail(charset, SAID.encode(encoding)), "message/rfc822").text == f"From: a@b.c\n\n{SAID}"


def test_a_mail_without_plain_text_is_its_page_and_names_what_is_attached() -> None:
    message = EmailMessage()
    message["Subject"], message["To"], message["Cc"], message["Bcc"] = "A\u00a0b", "c@d.e", "f@g.h", "secret@i.j"
    message.set_content("<p>Hello<br>you", subtype="html")
    message.add_attachment(b"x", maintype="application", subtype="zip", filename="a.zip")
    message.add_attachment(b"x", maintype="image", subtype="png")
    assert formats.read(message.as_bytes(), "message/rfc822").text.split("\n") == [
        *("To: c@d.e", "Cc: f@g.h", "Subject: A b", "", "Hello", "you", "", "Attachments: a.zip, image/png"),
    ]


@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_what_is_unicode_is_read_as_it_is(text: str) -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        if encoding != "utf-8" or not text.startswith("\ufeff"):
            assert decoded(text.encode(encoding)) == text
    assert decoded(codecs.BOM_UTF16_BE + text.encode("utf-16-be")) == text


@given(st.text())
def test_clean_text_can_be_stored_and_is_not_cleaned_again(text: str) -> None:
    cleaned = clean(text)
    assert clean(cleaned) == cleaned
    cleaned.encode()
    assert not set(cleaned) & {"\0", "\r", "\x0b", "\x7f", "\ufffe", "\uffff", *map(chr, range(0x80, 0xA0))}


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("a\r\nb\rc\n\rd", "a\nb\nc\n\nd"),
        ("a\tb\fc", "a\tb\fc"),
        ("\x93a\x94 \x80 \x85 \x81", "“a” € … "),
        ("a\ud83d\ufdd0b", "ab"),
        ("\ufffd\u200d\xad", "\ufffd\u200d\xad"),
    ],
    ids=ascii,
)
def test_only_what_no_text_means_is_changed(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@pytest.mark.parametrize(
    ("cells", "line"),
    [
        (["a", "b"], "a | b"),
        ([" a\n b ", "", "c", "", " "], "a b |  | c"),
        (["", "b"], " | b"),
        (["a |", "||"], "a | | ||"),
        ([], ""),
        (["", " "], ""),
    ],
    ids=str,
)
def test_a_row_of_a_table_is_a_line(cells: list[str], line: str) -> None:
    """The text of cells is kept, bars included; empty cells at the end are dropped."""
    assert row(cells) == line


def test_the_longest_text_is_read() -> None:
    assert len(formats.read(b"x" * LIMIT, "text/plain").text) == LIMIT
