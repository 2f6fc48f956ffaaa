"""Preparing text for the search: folded, with marked word boundaries, and split into index terms.

Pure. Texts and queries are prepared in the same way, so that differences of notation do not matter.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

BOUNDARY = "\x1f"
"""The mark before and after each word of a marked text. Folding replaces one in the original text by a space."""

WORD_LIMIT = 64  # characters of a word that are indexed

# Accents, and the marks and points of scripts that are read without them. Marks that are letters (Thai, Devanagari,
# the voiced kana) stay.
_MARKS = (
    *((0x300, 0x36F), (0x483, 0x489), (0x591, 0x5BD), (0x5BF, 0x5BF), (0x5C1, 0x5C2), (0x5C4, 0x5C5), (0x5C7, 0x5C7)),
    *((0x610, 0x61A), (0x640, 0x640), (0x64B, 0x65F), (0x670, 0x670), (0x6D6, 0x6DC), (0x6DF, 0x6E8), (0x6EA, 0x6ED)),
    *((0x730, 0x74A), (0x8CA, 0x8E1), (0x8E3, 0x8FF), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF)),
    (0xFE20, 0xFE2F),
)
# Invisible characters: soft hyphens, joiners, direction marks, variation selectors.
_INVISIBLE = (
    *((0, 8), (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x180B, 0x180F), (0x200B, 0x200F), (0x202A, 0x202E)),
    *((0x2060, 0x206F), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xE0000, 0xE0FFF)),
)
# Letters that people type without their stroke, and characters for which keyboards have a substitute.
_TYPED = ("øłđħıŧ‘’‚“”„«»‐‑‒–—−", 'oldhit\'\'\'"""""------')  # noqa: RUF001 - these are the point
_TABLE = {
    **{code: None for first, last in (*_MARKS, *_INVISIBLE) for code in range(first, last + 1)},
    **{ord(letter): typed for letter, typed in zip(*_TYPED, strict=True)},
    ord("æ"): "ae",
    ord("œ"): "oe",
}

# Scripts without spaces, or whose words are searched by parts: any substring is found. They are indexed by pairs of
# characters if they have thousands of them, as in Chinese, Japanese and Korean (and symbols, such as emoji), by triples
# if they have few.
_PAIRED = (
    "\u1100-\u11ff\u2190-\u2bff\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u9fff\ua000-\ua4cf\ua960-\ua97f"
    "\uac00-\ud7ff\uf900-\ufaff\U0001f000-\U0001faff\U00020000-\U0003ffff"
)
_TRIPLED = (
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e80-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17d3\u1950-\u19df\u1a20-\u1aaf"
    "\u1b00-\u1b7f\ua980-\ua9df\uaa60-\uaadf"
)
_LETTER = rf"(?:[^\W\d_{_PAIRED}{_TRIPLED}]|[\u0900-\u0963\u0966-\u0dff])"  # Indic vowels are no letters to Python
_ANY_PIECE = re.compile(
    rf"(?P<paired>[{_PAIRED}]+)|(?P<tripled>[{_TRIPLED}]+)|(?P<word>{_LETTER}+|\d(?:{_LETTER}|\d)*)"
)
_ASCII_PIECE = re.compile(r"(?P<paired>(?!))|(?P<tripled>(?!))|(?P<word>[a-z]+|[0-9][a-z0-9]*)")
"""Letters at the beginning are a word by themselves: `v2` has the words `v` and `2`."""

_GRAMS = {"paired": 2, "tripled": 3}
_SPACES = re.compile(r"\s+")


def folded(text: str) -> str:
    """Return a text without differences of case, accents, width, compatibility forms and repeated spaces."""
    if text.isascii():
        return _SPACES.sub(" ", text.lower().translate(_TABLE))
    bare = unicodedata.normalize("NFKD", text).translate(_TABLE).casefold()
    return _SPACES.sub(" ", unicodedata.normalize("NFC", unicodedata.normalize("NFKD", bare).translate(_TABLE)))


def marked(folded_text: str) -> str:
    """Return a folded text with a BOUNDARY before and after each word."""
    pattern = _ASCII_PIECE if folded_text.isascii() else _ANY_PIECE
    return pattern.sub(lambda piece: f"{BOUNDARY}{piece[0]}{BOUNDARY}" if piece["word"] else piece[0], folded_text)


def pieces(folded_text: str) -> Iterator[tuple[str, int]]:
    """Yield the words of a folded text, and runs of scripts whose substrings are searchable.

    Each has the length of the grams by which a run is indexed; 0 for a word, which is indexed as a whole.
    """
    pattern = _ASCII_PIECE if folded_text.isascii() else _ANY_PIECE
    for piece in pattern.finditer(folded_text):
        yield piece[0], _GRAMS.get(str(piece.lastgroup), 0)


def index_terms(folded_text: str) -> list[str]:
    """Return the index terms of a text, each once, in order: words, and grams that begin anywhere.

    Grams at the end of a run are shorter, so that each substring of it is a prefix of a gram.
    """
    found: dict[str, None] = {}
    for piece, length in pieces(folded_text):
        if length:
            found.update(dict.fromkeys(piece[at : at + length] for at in range(len(piece))))
        else:
            found[piece[:WORD_LIMIT]] = None
    return list(found)


class Segment(NamedTuple):
    """A part of a text that can be folded separately: a character with its combining marks and following space."""

    start: int
    end: int
    folded: str


def segments(text: str) -> list[Segment]:
    """Return the parts of a text in order. Their folded forms make up the folded text."""
    starts = [at for at, character in enumerate(text) if at == 0 or not _joins(character)]
    ends = [*starts[1:], len(text)]  # one too many if there is no text
    parts = [_folded_part(text[start:end]) for start, end in zip(starts, ends, strict=False)]
    return list(map(Segment._make, zip(starts, ends, parts, strict=False)))


def is_aligned(text: str, folded_text: str) -> bool:
    """Return whether each character of the folded text is at the same offset as its original."""
    return len(text) == len(folded_text) and all(map(_stands_alone, set(text)))


_folded_part = lru_cache(maxsize=10_000)(folded)


@lru_cache(maxsize=10_000)
def _joins(character: str) -> bool:
    """Return whether a character may combine with the one before it."""
    first = folded(character)[:1]
    return first in ("", " ") or unicodedata.category(first)[0] == "M" or "\u1160" <= first <= "\u11ff"


@lru_cache(maxsize=10_000)
def _stands_alone(character: str) -> bool:
    """Return whether a character folds to a single one in any context; spaces do unless there are several."""
    return len(folded(character)) == 1 and (folded(character) == " " or not _joins(character))
