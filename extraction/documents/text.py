"""The text of a file: cleaned, of bounded length, with the places of pages."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from charset_normalizer import from_bytes

from conversations.errors import UnsupportedMediaType

LIMIT = 5_000_000
"""The maximal number of characters of a document: 600 pages of small print."""
UNSTORABLE = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
"""Control characters and lone surrogates, which are no text, and which Postgres or JSON refuse."""
WINDOWS = {code: bytes([code]).decode("cp1252", "ignore") for code in range(0x80, 0xA0)}
"""The meaning of C1 controls in text: quotation marks and dashes of Windows-1252, declared as Latin-1 (as in HTML)."""
ENCODINGS = [
    "cp1252",
    "shift_jis",
    "gb18030",
    "big5",
    "euc_kr",
    "euc_jp",
    "cp1250",
    "cp1251",
    "cp1253",
    "cp1255",
    "cp1256",
]
"""The possible encodings of a file that is not Unicode."""


@dataclass(frozen=True)
class Text:
    """The text of a file."""

    text: str
    pages: list[int]
    """The offset in code points at which each page begins; empty where the format has no pages."""


def unpaged(text: str) -> Text:
    """Return cleaned text without pages. Raise UnsupportedMediaType if there is none, or too much."""
    return Text(bounded(clean(text)), [])


def clean(text: str) -> str:
    """Return storable text, with LF as line end, and with C1 controls replaced by their characters."""
    return UNSTORABLE.sub("", text.translate(WINDOWS).replace("\r\n", "\n").replace("\r", "\n"))


def bounded(text: str) -> str:
    """Return text. Raise UnsupportedMediaType if it is only white space, or too long."""
    if not text.strip():
        raise UnsupportedMediaType("There is no text in it.")
    check_length(len(text))
    return text


def check_length(characters: int) -> None:
    """Refuse a document with too much text, by UnsupportedMediaType."""
    if characters > LIMIT:
        raise UnsupportedMediaType(f"It has more than {LIMIT:,} characters of text, the maximum.")


def decoded(data: bytes) -> str:
    """Decode bytes as UTF-8 or UTF-16, or else by the most likely encoding."""
    for encoding in ("utf-16",) if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig",):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    likely = from_bytes(data, cp_isolation=ENCODINGS).best()
    return str(likely) if likely else data.decode("cp1252", "replace")


def row(cells: Iterable[str]) -> str:
    """Return a row of a table as a line: its cells, separated by bars, without empty ones at the end."""
    texts = [" ".join(cell.split()) for cell in cells]
    while texts and not texts[-1]:
        texts.pop()
    return " | ".join(texts)
