"""The occurrences of a quote in one source's text: exact ones, or else those of its normal form."""

from __future__ import annotations

import unicodedata
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import NamedTuple

from extraction.documents.sources import Source
from extraction.evidence.normal import Dash, Normal, normal, stripped

LOOKED_AT = 2000
"""So many places where only the letters agree are looked at for one quote."""


class Span(NamedTuple):
    """A place in a text, in code points."""

    start: int
    end: int


@dataclass(frozen=True)
class Quote:
    """A quote in the form that is searched: as it is, or normalised."""

    text: str
    form: Normal | None = None
    first: tuple[Span, ...] = ()
    """Its first place, and its second if there is one."""

    @property
    def only(self) -> Span | None:
        """Return its only place, or None if it has several or none."""
        return self.first[0] if len(self.first) == 1 else None

    @property
    def exact(self) -> bool:
        """Whether the text has the quote character by character."""
        return self.form is None


class Searched:
    """A range of a source's text in which quotes are searched."""

    def __init__(self, source: Source, start: int, end: int) -> None:
        """Take the source, and the offsets of the range."""
        self.source = source
        self.start = start
        self._end = end
        self._text = source.text or ""
        self._known: dict[str, Quote | None] = {}
        """How the quotes are found that have been looked for."""

    def sought(self, text: str) -> Quote | None:
        """Return the form of a quote that occurs here: exact or normalised, or None."""
        if text not in self._known:  # the same few words stand for many a value of a table
            self._known[text] = self._with_places(Quote(text)) or self._with_places(Quote(text, stripped(normal(text))))
        return self._known[text]

    def _with_places(self, quote: Quote) -> Quote | None:
        first = tuple(islice(self._forward(quote, self.start), 2))
        return replace(quote, first=first) if first else None

    def around(self, quote: Quote, anchor: int, most: int) -> list[Span]:
        """Return the occurrences of a quote nearest to an offset, up to `most` on each side."""
        return [*islice(self._forward(quote, anchor), most), *islice(self._backward(quote, anchor), most)]

    def bounded(self, span: Span) -> bool:
        """Return whether a place is not within a longer word or number."""
        around = slice(max(span.start - 2, 0), span.start + 1), slice(span.end - 1, span.end + 2)
        left, right = self._text[around[0]][::-1], self._text[around[1]]
        return not (_goes_on(left) or _goes_on(right))

    @cached_property
    def _form(self) -> Normal:
        return normal(self._text[self.start : self._end])

    def _forward(self, quote: Quote, offset: int) -> Iterator[Span]:
        """Yield the occurrences of a quote from an offset on, in order."""
        if quote.form is None:
            for at in _ahead(self._text, quote.text, offset, self._end):
                yield Span(at, at + len(quote.text))
        elif quote.form.text:
            first = bisect_left(self._form.offsets, offset - self.start)
            places = _ahead(self._form.text, quote.form.text, first, len(self._form.text))
            yield from self._spans(quote.form, places)

    def _backward(self, quote: Quote, offset: int) -> Iterator[Span]:
        """Yield the occurrences of a quote that begin before an offset, the last one first."""
        if quote.form is None:
            for at in _behind(self._text, quote.text, self.start, offset):
                yield Span(at, at + len(quote.text))
        elif quote.form.text:
            before = bisect_left(self._form.offsets, offset - self.start)
            yield from self._spans(quote.form, _behind(self._form.text, quote.form.text, 0, before))

    def _spans(self, quote: Normal, places: Iterator[int]) -> Iterator[Span]:
        """Yield the places in the text of those places in the normal form that really match the quote."""
        for at in islice(places, LOOKED_AT):
            span = self._span(quote, at)
            if span is not None:
                yield span

    def _span(self, quote: Normal, at: int) -> Span | None:
        """Return the place in the text of a place in the normal form, or None if the quote does not match there.

        It does not match if it would begin or end within a character or between a letter and its combining marks, or if
        only one of the two has a dash within a line.
        """
        form, end = self._form, at + len(quote.text)
        dashes = form.dashes_in(at, end)
        if not _agree(quote, dashes, at, end) or self._splits(at) or self._splits(end):
            return None
        start, stop = min(form.offsets[at:end]), max(form.offsets[at:end]) + 1
        if quote.dashes and quote.dashes[0].position == 0:
            leading = sum(dash.position == 0 for dash in quote.dashes)
            start = [dash for dash in dashes if dash.position == at][-leading].offset
        if quote.dashes and quote.dashes[-1].position == len(quote.text):
            trailing = sum(dash.position == len(quote.text) for dash in quote.dashes)
            stop = [dash for dash in dashes if dash.position == end][trailing - 1].offset + 1
        return Span(self.start + start, self.start + stop)

    def _splits(self, at: int) -> bool:
        """Return whether a place of the normal form is within a character of the text, or before its combining mark."""
        form = self._form
        if not 0 < at < len(form.text):
            return False
        return form.offsets[at - 1] == form.offsets[at] or bool(unicodedata.combining(form.text[at]))


def _goes_on(edge: str) -> bool:
    """Return whether two adjacent pieces of text belong to the same word or number (`5.0`)."""
    return edge[1:2].isalnum() if edge[1:2] not in (".", ",") else edge[:1].isdecimal() and edge[2:3].isdecimal()


def _agree(quote: Normal, dashes: list[Dash], at: int, end: int) -> bool:
    """Return whether a quote has the same dashes as a place, except for hyphenation at line ends.

    At either end the text may have more of them than the quote.
    """
    theirs: dict[int, list[Dash]] = {}
    ours: dict[int, list[Dash]] = {}
    for dash in dashes:
        theirs.setdefault(dash.position - at, []).append(dash)
    for dash in quote.dashes:
        ours.setdefault(dash.position, []).append(dash)
    for position in theirs.keys() | ours.keys():
        there, here = theirs.get(position, []), ours.get(position, [])
        at_end = position in (0, end - at)
        if at_end and len(there) >= len(here):
            continue
        soft = any(dash.soft for dash in (*there, *here))
        if at_end or (len(there) != len(here) and not (soft and len(there) + len(here) == 1)):
            return False
    return True


def _ahead(text: str, sought: str, start: int, end: int) -> Iterator[int]:
    """Yield the offsets of a text within another one from `start` on, in order."""
    found = text.find(sought, start, end)
    while found >= 0:
        yield found
        found = text.find(sought, found + 1, end)


def _behind(text: str, sought: str, start: int, before: int) -> Iterator[int]:
    """Yield the offsets of a text within another one from `start` on, and before `before`, the last one first."""
    found = text.rfind(sought, start, min(before - 1, len(text)) + len(sought))
    while found >= 0:
        yield found
        found = text.rfind(sought, start, found - 1 + len(sought))
