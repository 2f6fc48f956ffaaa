"""The fonts of the printed report: what they have is drawn, and what none of them has is shown to be missing."""

from __future__ import annotations

import lzma
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fpdf import FPDF

FONT, CJK = "FiraGO", "DroidSansFallback"
"""Latin, Cyrillic, Greek, Arabic, Hebrew, Thai and others; and Chinese, Japanese and Korean."""
MISSING = "◊"
"""In the place of a character that no font has."""
PACKED = Path(__file__).parent / "fonts" / f"{CJK}.ttf.xz"
JOINERS = "\u200c\u200d"
"""Without a shape of their own; they tell how the letters around them are written."""


class Fonts:
    """The fonts of one document, in a folder that has to stay until it is written."""

    def __init__(self, document: FPDF, folder: Path) -> None:
        """Add the plain fonts to a document; that of Chinese, Japanese and Korean comes with the first such text."""
        import pymupdf_fonts  # type: ignore[import-untyped]

        self._document, self._folder = document, folder
        self.is_missing_some = False
        for style, name in (("", "figo"), ("B", "figbo")):
            self._add(FONT, style, pymupdf_fonts.myfont(name))
        document.set_text_shaping(use_shaping_engine=True)
        self._has = self._characters(FONT)

    def _add(self, family: str, style: str, data: bytes) -> None:
        file = self._folder / f"{family}{style}.ttf"
        file.write_bytes(data)
        self._document.add_font(family, style, file)

    def _characters(self, family: str) -> set[int]:
        return set(self._document.fonts[family.lower()].cmap)  # type: ignore[union-attr]

    def _more(self) -> None:
        self._add(CJK, "", lzma.decompress(PACKED.read_bytes()))
        self._document.set_fallback_fonts([CJK], exact_match=False)
        self._has |= self._characters(CJK)

    def drawable(self, text: str) -> str:
        """Return a text in one line, with a mark for each character that can't be drawn."""
        line = " ".join(text.split())
        plain = "".join(each for each in line if each in JOINERS or unicodedata.category(each) not in ("Cc", "Cf"))
        if not self._covers(plain) and CJK.lower() not in self._document.fonts:
            self._more()
        if self._covers(plain):
            return plain
        self.is_missing_some = True
        return "".join(each if self._covers(each) else MISSING for each in plain)

    def _covers(self, text: str) -> bool:
        return all(ord(each) in self._has or each in JOINERS for each in text)
