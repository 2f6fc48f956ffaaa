"""Reading files by type: detected from the content, or else as declared."""

from __future__ import annotations

import re
from importlib import import_module

from conversations.content.media import DOCX, PDF, PLAIN, TEXTUAL, XLSX, identify
from conversations.errors import UnsupportedMediaType
from extraction.documents.sources import READ
from extraction.documents.text import Text, decoded, unpaged

CSV, HTML, MAIL = "text/csv", "text/html", "message/rfc822"

READERS = {PDF: "pdf", DOCX: "word", XLSX: "sheets", HTML: "html", MAIL: "mail"}
"""The module that reads each media type; each is imported on first use, since they are large."""

HEAD = 2048  # bytes that are examined
MARKUP = re.compile(
    rb"(\xef\xbb\xbf)?\s*(<\?xml[^>]*>\s*|<!--.*?-->\s*)*<(!doctype\s+html|html|head|body|table|div)\b",
    re.IGNORECASE | re.DOTALL,
)
HEADER = re.compile(
    rb"^(from|to|cc|subject|date|message-id|mime-version|received|return-path|delivered-to|content-type):[ \t]",
    re.IGNORECASE | re.MULTILINE,
)
FIRST_HEADER = re.compile(rb"[A-Za-z][A-Za-z0-9-]{1,40}:[ \t]")
LEAST_HEADERS = 3


def read(data: bytes, media_type: str) -> Text:
    """Return the text of a file with a declared media type.

    Raises UnsupportedMediaType where it can't be read, with the reason.
    """
    reader = READERS.get(type_of(data, media_type))
    if reader is None:
        return unpaged(decoded(data))
    text: Text = import_module(f"extraction.documents.{reader}").read(data)
    return text


def type_of(data: bytes, media_type: str) -> str:
    """Return the media type of a file. Raise UnsupportedMediaType for an image, and for other files than documents."""
    found = identify(data, declared=media_type).media_type
    if found not in READ:
        raise UnsupportedMediaType(f"It is {found}, which is not a document.")
    if found in (PLAIN, CSV) and media_type in (PLAIN, CSV):
        return _sniffed(data)
    return media_type if found == PLAIN and media_type in TEXTUAL else found


def _sniffed(data: bytes) -> str:
    """Return the detected type of a text: HTML or a mail, or else as declared."""
    head = data[:HEAD]
    if MARKUP.match(head):
        return HTML
    headers = re.split(rb"\r?\n\r?\n", head, maxsplit=1)[0]
    names = {name.lower() for name in HEADER.findall(headers)}
    return MAIL if FIRST_HEADER.match(head) and len(names) >= LEAST_HEADERS else PLAIN
