"""Converting HTML to text: a line for each block and each row of a table (lxml)."""

from __future__ import annotations

import re

import lxml.etree
import lxml.html
from lxml.html import defs

from conversations.errors import UnsupportedMediaType
from extraction.documents.text import Text, decoded, row, unpaged

SKIPPED = frozenset(["head", "noscript", "script", "style", "template"])
SECTIONS = ["article", "aside", "figcaption", "figure", "footer", "header", "main", "nav", "section", "summary"]
LINES = (defs.block_tags | {*SECTIONS}) - {"del", "ins", "td", "th"}
"""Elements that begin and end lines."""
CELLS = frozenset(["td", "th"])
DECLARED = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?([\w-]{2,40})""", re.IGNORECASE)
PROBE = b"<a b='\\n+AGE-'>"
"""Bytes that are the same in every encoding that a page can declare, but not in UTF-16, UTF-7 and escape encodings."""
TOO_DEEP = "ERR_RESOURCE_LIMIT"
"""The parser's error when it drops the rest of a page: beyond a nesting of 2,048 elements."""
DECLARATION_LIMIT = 4096  # bytes at the beginning in which a declaration of the encoding is looked for


def read(data: bytes) -> Text:
    """Return the text of a page. Raise UnsupportedMediaType if there is none, or too much."""
    return unpaged(text_of(_decoded(data)))


def text_of(markup: str) -> str:
    """Return the text of HTML as a reader sees it.

    Raises UnsupportedMediaType where there is nothing in it, or where the parser gives up before its end.
    """
    parser = lxml.html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True)
    try:
        root = lxml.html.document_fromstring(markup.encode("utf-8", "replace"), parser=parser)
    except (lxml.etree.ParserError, lxml.etree.XMLSyntaxError):
        raise UnsupportedMediaType("There is no text in it.") from None
    if any(each.type_name == TOO_DEEP for each in parser.error_log):
        raise UnsupportedMediaType("Its elements are nested too deep, so that the rest of it can't be read.")
    return _Writing().written(root)


def _decoded(data: bytes) -> str:
    declared = DECLARED.search(data[:DECLARATION_LIMIT])
    name = declared[1].decode("ascii") if declared else ""
    try:
        return data.decode(name) if name and PROBE.decode(name) == PROBE.decode("ascii") else decoded(data)
    except (LookupError, UnicodeDecodeError):
        return decoded(data)


class _Writing:
    """Writes the text of elements in document order."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._line: list[str] = []
        self._cells: list[str] | None = None  # of the table row that is being written
        self._kept = 0  # elements around in which white space counts
        self._layout: set[lxml.etree._Element] = set()  # tables with nested tables, which are for layout only

    def written(self, root: lxml.etree._Element) -> str:
        """Return the text of an element."""
        self._layout = {outer for table in root.iter("table") for outer in table.iterancestors("table")}
        skipped: lxml.etree._Element | None = None
        for event, element in lxml.etree.iterwalk(root, events=("start", "end")):
            if skipped is not None:
                skipped = None if event == "end" and element is skipped else skipped
            elif event == "start" and element.tag in SKIPPED:
                skipped = element
            elif event == "start":
                self._begin(element)
            else:
                self._end(element)
            if event == "end" and skipped is None and element is not root:
                self._say(element.tail)
        self._break()
        return re.sub(r"\n{3,}", "\n\n", "\n".join(self._lines)).strip("\n")

    def _begin(self, element: lxml.etree._Element) -> None:
        tag = element.tag
        if tag == "tr" and not self._is_layout(element):
            self._end_row()
            self._cells = []
        elif tag in CELLS and self._cells is not None:
            self._end_cell()
        elif tag in LINES or tag in CELLS:
            self._break()
        self._kept += tag == "pre"
        if tag == "li":
            self._say("- ")
        elif tag == "img":
            self._say(element.get("alt"))
        self._say(element.text)

    def _end(self, element: lxml.etree._Element) -> None:
        tag = element.tag
        if tag in CELLS and self._cells is not None:
            self._cells.append("".join(self._line))
            self._line = []
        elif tag == "tr" and self._cells is not None:
            self._end_row()
        elif tag in LINES or tag == "br" or tag in CELLS:
            self._break()
        if tag in ("p", "table", "h1", "h2", "h3", "h4", "h5", "h6") and self._cells is None:
            self._lines.append("")
        self._kept -= tag == "pre"

    def _end_cell(self) -> None:
        """End the current text of a table row as a cell of its own."""
        if self._cells is not None and "".join(self._line).strip():
            self._cells.append("".join(self._line))
        self._line = []

    def _end_row(self) -> None:
        """End the current row of a table; outside of tables, the line."""
        if self._cells is None:
            self._break()
            return
        self._end_cell()
        cells, self._cells = self._cells, None
        self._lines.append(row(cells))

    def _is_layout(self, element: lxml.etree._Element) -> bool:
        return next(element.iterancestors("table"), None) in self._layout

    def _say(self, text: str | None) -> None:
        if text:
            self._line.append(text if self._kept else re.sub(r"[ \t\r\n\f]+", " ", text))

    def _break(self) -> None:
        """End the line, if it is not empty; within a cell, add a space."""
        if self._cells is not None:
            self._line.append(" ")
            return
        line = "".join(self._line)
        self._line = []
        if line.strip():
            self._lines.append(line.strip("\n") if self._kept else re.sub(" {2,}", " ", line).strip())
