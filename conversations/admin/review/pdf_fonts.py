"""The fonts of the printed report; characters that no font has are replaced by a mark."""

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
"""The replacement of a character that no font has."""
PACKED = Path(__file__).parent / "fonts" / f"{CJK}.ttf.xz"
JOINERS = "\u200c\u200d"
"""Characters without a glyph, which change the letters around them."""


class Fonts:
    """The fonts of one document, in a folder that must exist until the document is written."""

    def __init__(self, document: FPDF, folder: Path) -> None:
        """Add the basic fonts to a document; that of Chinese, Japanese and Korean is added on demand."""
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
        """Return a text in one line, with a mark in place of each character that can't be drawn."""
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
