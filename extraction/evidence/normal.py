"""Normalising text for the comparison of quotes, with a map back to the original offsets.

Two texts with the same form differ at most in case, in compatible characters (NFKC: width, ligatures, precomposed
accents), in white space, in kinds of dashes and quotation marks, in soft hyphens and in hyphenation.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

SINGLE_QUOTES = "'`´‘’‚‛′ʹʻʼ‹›＇"  # noqa: RUF001 - these are the point
DOUBLE_QUOTES = '"“”„‟″«»＂〝〞'  # noqa: RUF001
MINUS = "−⁃"  # noqa: RUF001 - dashes that Unicode does not count among them
INVISIBLE = frozenset("\xad\u200b\u2060\ufeff\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Soft hyphens, spaces without width, and marks of direction."""
UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fff\u3001-\u312f\u31a0-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff]"
)
"""Characters of scripts without spaces between words, where a line end or a space means nothing."""


class Dash(NamedTuple):
    """A dash in a text, which the normal form omits."""

    position: int
    """The character of the normal form that follows."""
    offset: int
    """Its offset in the text."""
    soft: bool
    """Whether it may be there for the end of a line only: white space follows, between letters or digits."""


@dataclass(frozen=True)
class Normal:
    """The normal form of a text."""

    text: str
    offsets: array[int]
    """For each of its characters, the offset of the one that it comes from."""
    dashes: list[Dash] = field(default_factory=list)

    def dashes_in(self, start: int, end: int) -> list[Dash]:
        """Return the dashes in front of the characters from `start` to `end`, and at `end`."""
        first = bisect_left(self.dashes, (start,))
        return self.dashes[first : bisect_right(self.dashes, (end, len(self.offsets) << 8), lo=first)]


class _Kinds(NamedTuple):
    """The characters of a text by how they are normalised."""

    table: dict[int, str]
    """What the plain ones become: each another or several, or the same."""
    tokens: re.Pattern[str]


def normal(text: str) -> Normal:
    """Return the normal form of a text, in linear time."""
    return _Normalising(text).done()


def stripped(form: Normal) -> Normal:
    """Return a form without white space at its ends."""
    start, end = len(form.text) - len(form.text.lstrip(" ")), len(form.text.rstrip(" "))
    if form.dashes:  # a space within dashes is not at the end
        start, end = min(start, form.dashes[0].position), max(end, form.dashes[-1].position)
    dashes = [dash._replace(position=dash.position - start) for dash in form.dashes]
    return Normal(form.text[start:end], form.offsets[start:end], dashes)


class _Normalising:
    """Builds a normal form token by token."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._parts: list[str] = []
        self._offsets = array("L")
        self._dashes: list[Dash] = []
        self._last = ""  # the last character of the form; nothing after a dash

    def done(self) -> Normal:
        table, tokens = _kinds_of(frozenset(self._text))
        for token in tokens.finditer(self._text):
            match token.lastgroup:
                case "plain":
                    self._plain(token[0], token.start(), table)
                case "space":
                    self._space(token.start(), token.end())
                case "dash":
                    self._dash(token.start(), token.end())
                case "cluster":
                    self._cluster(token[0], token.start())
        return Normal("".join(self._parts), self._offsets, self._dashes)

    def _add(self, characters: str, offsets: range | list[int]) -> None:
        self._parts.append(characters)
        self._offsets.extend(offsets)
        self._last = characters[-1]

    def _plain(self, characters: str, start: int, table: dict[int, str]) -> None:
        """Add characters whose replacement does not depend on the context: mostly one, for some several (`ß`, `é`)."""
        becoming = characters.translate(table)
        if len(becoming) == len(characters):
            self._add(becoming, range(start, start + len(characters)))
        else:
            self._add(becoming, [at for at, each in enumerate(characters, start) for _ in table[ord(each)]])

    def _space(self, start: int, end: int) -> None:
        following = _folded(self._text[end]) if end < len(self._text) else ""
        between = UNSPACED.match(following) and UNSPACED.match(self._last)
        if self._last != " " and not between:
            self._add(" ", [start])

    def _dash(self, start: int, end: int) -> None:
        """Record a dash, with the white space after it if it may be a hyphenation."""
        parting = start > 0 and _in_word(self._text[start - 1]) and _in_word(self._text[end : end + 1])
        self._dashes.append(Dash(len(self._offsets), start, parting and end > start + 1))
        self._last = ""
        if end > start + 1 and not parting:
            self._space(start + 1, end)

    def _cluster(self, cluster: str, start: int) -> None:
        """Add a character with its combining marks, in canonical order."""
        pairs = [(part, start + index) for index, each in enumerate(cluster) for part in _folded(each)]
        for part, offset in _ordered(pairs):
            if not part.isspace():
                self._add(part, [offset])
            elif self._last != " ":
                self._add(" ", [offset])


def _ordered(pairs: list[tuple[str, int]]) -> Iterator[tuple[str, int]]:
    """Yield characters with runs of combining marks in canonical order (Unicode 3.11)."""
    run: list[tuple[str, int]] = []
    for pair in pairs:
        if not unicodedata.combining(pair[0]):
            yield from sorted(run, key=lambda each: unicodedata.combining(each[0]))
            run = []
            yield pair
        else:
            run.append(pair)
    yield from sorted(run, key=lambda each: unicodedata.combining(each[0]))


@lru_cache(maxsize=1 << 15)
def _folded(character: str) -> str:
    """Return the normalised form of a character: one, several, or none."""
    if character in INVISIBLE:
        return ""
    if character in SINGLE_QUOTES:
        return "'"
    if character in DOUBLE_QUOTES:
        return '"'
    folded = unicodedata.normalize("NFKD", character).casefold()
    return unicodedata.normalize("NFKD", folded)


def is_dash(character: str) -> bool:
    """Return whether a character is a dash, hyphen or minus."""
    return unicodedata.category(character) == "Pd" or character in MINUS


def _in_word(character: str) -> bool:
    return character.isalnum() or unicodedata.category(character or " ").startswith("M")


@lru_cache(maxsize=64)
def _kinds_of(characters: frozenset[str]) -> _Kinds:
    """Classify the characters of a text by how they are normalised."""
    spaces = {each for each in characters if each.isspace()}
    dashes = {each for each in characters - spaces if is_dash(each)}
    marks = {each for each in characters if unicodedata.combining((_folded(each) or "x")[0])}
    unspaced = {each for each in characters if UNSPACED.match(_folded(each))}
    odd = {each for each in characters if not _folded(each) or (each not in spaces and " " in _folded(each))}
    table = {ord(each): _folded(each) for each in characters - odd}
    plain = _class(characters - spaces - dashes - marks - unspaced - odd)
    wide = _class(unspaced - spaces - dashes - marks - odd)
    space, dash, mark = _class(spaces), _class(dashes), _class(marks)
    tokens = (
        f"(?P<plain>(?:{plain}+(?: {plain}+)*|{wide}+)(?!{mark}))"
        f"|(?P<space>{space}+)|(?P<dash>{dash}{space}*)|(?P<cluster>.{mark}*)"
    )
    return _Kinds(table, re.compile(tokens, re.DOTALL))


def _class(characters: set[str] | frozenset[str]) -> str:
    """Return a pattern for one of the characters."""
    return "[" + "".join(map(re.escape, sorted(characters))) + "]" if characters else "(?!)"
