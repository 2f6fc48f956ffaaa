"""Converting Word documents (`.docx`) to text, with their tables' rows as lines (python-docx)."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

import docx
from docx.oxml import parse_xml
from docx.oxml.ns import qn

from extraction.documents import archives
from extraction.documents.broken import refuse_if_broken
from extraction.documents.text import Text, row, unpaged

if TYPE_CHECKING:
    from docx.document import Document
    from docx.oxml.xmlchemy import BaseOxmlElement

PARAGRAPH, TABLE, ROW, CELL = qn("w:p"), qn("w:tbl"), qn("w:tr"), qn("w:tc")
WORDS = {qn("w:tab"): "\t", qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:noBreakHyphen"): "-"}
SKIPPED = {
    qn("w:del"),  # what was struck out while changes were tracked
    qn("w:moveFrom"),
    qn("w:pPr"),
    qn("w:instrText"),
    "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback",  # the same again, for old programs
}


def read(data: bytes) -> Text:
    """Return the text of a document: headers, body, footnotes and footers.

    Raises UnsupportedMediaType where it is broken, encrypted, empty or too long.
    """
    archives.check(data)
    with refuse_if_broken("document", "Word (.docx)"):
        document = docx.Document(io.BytesIO(data))
        roots = [*_margins(document, "header"), document.element.body, *_notes(document), *_margins(document, "footer")]
        return unpaged("\n".join(line for root in roots for line in _lines(root)).strip("\n"))


def _margins(document: Document, name: str) -> list[BaseOxmlElement]:
    """Return the elements of the sections' headers or footers, each once."""
    margins = [getattr(section, name) for section in document.sections]
    return [margin._element for margin in margins if not margin.is_linked_to_previous]


def _notes(document: Document) -> Iterator[BaseOxmlElement]:
    """Yield the element of the footnotes and the one of the endnotes, where there are any."""
    for part in document.part.package.iter_parts():
        if part.partname in ("/word/footnotes.xml", "/word/endnotes.xml"):
            yield parse_xml(part.blob)


def _lines(element: BaseOxmlElement) -> Iterator[str]:
    """Yield the paragraphs and table rows in an element, however they are nested."""
    for child in element:
        if child.tag == PARAGRAPH:
            yield _text_of(child)
        elif child.tag == TABLE:
            yield from (row(_cells(each)) for each in child.iter(ROW) if _is_of(each, child))
            yield ""
        elif child.tag not in SKIPPED:
            yield from _lines(child)


def _is_of(row_element: BaseOxmlElement, table: BaseOxmlElement) -> bool:
    """Return whether a row belongs to this table and not to a nested one."""
    return next(row_element.iterancestors(TABLE)) is table


def _cells(row_element: BaseOxmlElement) -> Iterator[str]:
    """Yield the text of each cell of a row."""
    for cell in row_element.iter(CELL):
        if next(cell.iterancestors(ROW)) is row_element:
            yield " ".join(_lines(cell))


def _text_of(paragraph: BaseOxmlElement) -> str:
    """Return the text of a paragraph, including its text boxes."""
    parts: list[str] = []
    waiting = [paragraph]
    while waiting:
        element = waiting.pop()
        if element.tag == qn("w:t"):
            parts.append(element.text or "")
        elif element.tag not in SKIPPED:
            parts.append(WORDS.get(element.tag, "\n" if element.tag == PARAGRAPH and element is not paragraph else ""))
            waiting.extend(reversed(element))
    return "".join(parts).strip()
