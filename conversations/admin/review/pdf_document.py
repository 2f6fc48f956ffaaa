"""A printed document: pages with a footer, headings, lines of text and tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fpdf import FPDF
from fpdf.enums import XPos, YPos

from conversations.admin.review.pdf_fonts import FONT, MISSING, Fonts

MARGIN, WIDTH, BOTTOM = 16.0, 178.0, 18.0
"""Millimetres of an A4 page: at each side, between them, and below."""
INK, SOFT, RULE = "#1f2328", "#656d76", "#d8dee4"
ROW = 6.0
"""The height of a table's row."""
APART = 3.0
"""The space between a number and the text after it."""


@dataclass(frozen=True)
class Column:
    """A column of a table; numbers are aligned to the right."""

    heading: str
    width: float
    """Millimetres; of all columns together, `WIDTH`."""
    is_number: bool = True


class Document(FPDF):
    """A document in A4."""

    def __init__(self, title: str, footer: str, folder: Path) -> None:
        super().__init__(format="A4")
        self.set_margins(MARGIN, MARGIN, MARGIN)
        self.set_auto_page_break(True, BOTTOM)
        self._fonts = Fonts(self, folder)
        self._footer = self._fonts.drawable(footer)
        self.set_title(title)
        self.set_creator("Colloquy")
        self.set_lang("en")
        self.add_page()

    def footer(self) -> None:
        """Draw the footer of a page; the library calls this at the end of each page."""
        self.set_y(-BOTTOM + 6)
        self.write_line(f"{self._footer} · page {self.page_no()} of {{nb}}", size=7, colour=SOFT)

    def write_line(
        self, text: str, *, size: float = 9, bold: bool = False, colour: str = INK, height: float | None = None
    ) -> None:
        """Write one line of text from the left margin, with the font size in points."""
        self._style(size, colour, bold=bold)
        fitting = self.fitting(text, WIDTH)
        self.set_x(MARGIN)
        self.cell(WIDTH, height or size * 0.55, fitting, new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def write_at(
        self,
        x: float,
        y: float,
        width: float,
        text: str,
        *,
        size: float = 8,
        bold: bool = False,
        colour: str = INK,
        right: bool = False,
    ) -> None:
        """Write text into a box at x and y, left- or right-aligned, cut if it is too long."""
        self._style(size, colour, bold=bold)
        self.set_xy(x, y)
        self.cell(width, size * 0.5, self.fitting(text, width), align="R" if right else "L")

    def write_note(self, text: str) -> None:
        """Write a small text of several lines."""
        self._style(7.5, SOFT)
        self.set_x(MARGIN)
        self.multi_cell(WIDTH, 3.8, self._fonts.drawable(text), align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def heading(self, text: str, room: float = 30) -> None:
        """Write a heading, on a new page if fewer than so many millimetres are left."""
        if self.get_y() + room > self.h - BOTTOM:
            self.add_page()
        elif self.get_y() > MARGIN + 1:
            self.ln(5)
        self.write_line(text, size=12, bold=True, height=7)
        self.ln(1)

    def tabulate(self, columns: Sequence[Column], rows: Sequence[Sequence[str]], total: Sequence[str] = ()) -> None:
        """Draw a table, with its header again on each page, and a last row in bold."""
        self.header_of(columns)
        for row in rows:
            self._row(columns, row)
        if total:
            self._row(columns, total, bold=True)

    def header_of(self, columns: Sequence[Column]) -> None:
        """Draw the header of a table."""
        self._cells(columns, [each.heading for each in columns], size=7.5, colour=SOFT, bold=False)
        self._rule(0.4)

    def _row(self, columns: Sequence[Column], row: Sequence[str], *, bold: bool = False) -> None:
        if self.get_y() + ROW > self.h - BOTTOM:
            self.add_page()
            self.header_of(columns)
        self._cells(columns, row, size=8, colour=INK, bold=bold)
        self._rule(0.15)

    def _cells(self, columns: Sequence[Column], row: Sequence[str], *, size: float, colour: str, bold: bool) -> None:
        y, x = self.get_y(), MARGIN
        for column, text in zip(columns, row, strict=True):
            gap = 0.0 if column.is_number or x == MARGIN else APART
            self.write_at(
                x + gap,
                y + 0.8,
                column.width - gap,
                text,
                size=size,
                colour=colour,
                bold=bold,
                right=column.is_number,
            )
            x += column.width
        self.set_xy(MARGIN, y + ROW)

    def _rule(self, width: float) -> None:
        self.set_draw_color(RULE)
        self.set_line_width(width)
        self.line(MARGIN, self.get_y(), MARGIN + WIDTH, self.get_y())

    def rectangle(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        """Draw a rectangle that is filled with a colour."""
        self.set_fill_color(colour)
        self.rect(x, y, width, height, style="F")

    def fitting(self, text: str, width: float) -> str:
        """Return the part of a text that fits into a width in the present font, with dots if it is cut."""
        text = self._fonts.drawable(text)
        room = width - 2 * self.c_margin
        if self.get_string_width(text) <= room:
            return text
        shorter = range(len(text))
        longest = next((n for n in reversed(shorter) if self.get_string_width(text[:n] + "…") <= room), 0)
        return text[:longest].rstrip() + "…"

    @property
    def missing(self) -> str:
        """Return a note if characters were missing, else an empty text."""
        missing = f" {MISSING} stands for a character that the fonts of this report do not have."
        return missing if self._fonts.is_missing_some else ""

    def _style(self, size: float, colour: str, *, bold: bool = False) -> None:
        self.set_font(FONT, "B" if bold else "", size)
        self.set_text_color(colour)
