"""Identifying files by their bytes. Pure."""

from __future__ import annotations

import io
import re
import warnings
from dataclasses import dataclass

from conversations.errors import InvalidRequest, UnsupportedMediaType

FORMATS = {"JPEG": "image/jpeg", "PNG": "image/png", "GIF": "image/gif", "WEBP": "image/webp"}
IMAGE_TYPES = frozenset(FORMATS.values())
PDF = "application/pdf"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PLAIN = "text/plain"
CLAUDES_DOCUMENTS = frozenset([PDF, PLAIN])
"""The types of documents that Claude accepts unconverted (claude-api.md 6)."""

MAGIC = {b"\xff\xd8\xff": "JPEG", b"\x89PNG\r\n\x1a\n": "PNG", b"GIF87a": "GIF", b"GIF89a": "GIF", b"RIFF": "WEBP"}

ZIP = b"PK\x03\x04"
MEMBERS = {b"word/document.xml": DOCX, b"xl/workbook.xml": XLSX}
"""The file in an archive that identifies an office document of each type."""
TEXTUAL = frozenset([PLAIN, "text/csv", "text/html", "message/rfc822"])
"""Text types, which their content does not always distinguish."""
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
"""Bytes that do not occur in text, in any encoding with one or two bytes per character."""

TAKEN = "PDF, Word (.docx), Excel (.xlsx), text in UTF-8, CSV, HTML, mail, and images in JPEG, PNG, GIF or WebP"
"""The types that `identify` knows, as error messages name them."""
TEXT_FILES = ("text/*", "application/json", "application/xml", ".csv", ".log", ".md", ".sql", ".ts", ".yaml", ".yml")
"""Text types for a browser's file dialog: many kinds of text have a type of their own, or none."""
FOR_CONVERSATIONS = (*sorted(IMAGE_TYPES), PDF, *TEXT_FILES)
FOR_EXTRACTION = (*FOR_CONVERSATIONS, ".docx", ".xlsx", ".html", ".htm", ".eml")
"""The values of a file input's `accept`, for a conversation and for an extraction."""

SIDE_LIMIT = 8000  # pixels (claude-api.md 6)


@dataclass(frozen=True)
class Identified:
    """The type of a file, and an image's size in pixels."""

    media_type: str
    width: int | None = None
    height: int | None = None


def identify(data: bytes, declared: str = "") -> Identified:
    """Return the type of an image, a PDF, an office document or text.

    The content decides. The declared type (`declared`) counts only for text that is not UTF-8, if it is a kind of text
    that often has another encoding: tables, HTML and mail. Raise UnsupportedMediaType for anything else, InvalidRequest
    for an image that can't be read.
    """
    for magic, format in MAGIC.items():
        if data.startswith(magic):
            return _image(data, format)
    if data.startswith(b"%PDF-"):
        return Identified(PDF)
    if data.startswith(ZIP) and (found := next((MEMBERS[name] for name in MEMBERS if name in data), None)):
        return Identified(found)
    if _is_text(data):
        return Identified(PLAIN)
    if declared in TEXTUAL - {PLAIN} and (data.startswith(UTF_16) or (data and not CONTROL.search(data))):
        return Identified(declared)
    raise UnsupportedMediaType(f"The file's type is not supported; supported are: {TAKEN}.")


def _image(data: bytes, format: str) -> Identified:
    from PIL import Image, UnidentifiedImageError  # here, since most processes never see an image

    # Only headers are read: the size is known before a decompression bomb could go off.
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=[format]) as image:
                width, height = image.size
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError, EOFError):
        raise InvalidRequest("The image can't be read: the file is cut, or damaged.") from None
    if width > SIDE_LIMIT or height > SIDE_LIMIT:
        raise InvalidRequest(
            f"The image is {width} x {height} pixels; at most {SIDE_LIMIT} x {SIDE_LIMIT} are allowed."
        )
    return Identified(FORMATS[format], width, height)


def _is_text(data: bytes) -> bool:
    try:
        return bool(data.strip()) and "\0" not in data.decode()
    except UnicodeDecodeError:
        return False
