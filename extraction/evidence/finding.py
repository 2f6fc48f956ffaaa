"""Finding quotes in sources."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from extraction.documents.sources import Source
from extraction.documents.splitting import Part
from extraction.evidence.occurrences import Quote, Searched, Span

Status = Literal["exact", "fuzzy", "not_found", "claimed"]

TRIED = 24
"""The number of a quote's places, on each side of its neighbouring leaf, that are considered."""


@dataclass(frozen=True)
class Claim:
    """A quote that Claude gives for a value."""

    path: str
    """The JSON Pointer of a leaf of the data."""
    quote: str
    source: int | None = None
    """The index of the content block, if Claude named it."""


@dataclass(frozen=True)
class Evidence:
    """A verified claim: the place of the quote, in code points of the source's text."""

    path: str
    quote: str
    source: int
    status: Status
    start: int | None = None
    end: int | None = None
    page: int | None = None


def located(sources: Sequence[Source], claims: Sequence[Claim], part: Part | None = None) -> list[Evidence]:
    """Return the evidence for each claim, in order.

    The status is `exact` if the text from `start` to `end` is the quote; `fuzzy` if it differs in case, white space,
    width, dashes, quotation marks, ligatures and hyphenation only; `not_found`; or `claimed` if the source has no text
    to check. A quote is searched in the source that the claim names, then in the others; of several occurrences, the
    one nearest to the evidence of the neighbouring leaves is chosen. With `part`, only that part of the sources is
    searched; offsets are still those in the whole text.
    """
    return _Locating(sources, claims, part).evidence()


@dataclass(frozen=True)
class _Place:
    """The place of a claim's quote."""

    source: Source
    span: Span
    exact: bool


@dataclass(frozen=True)
class _Found:
    """A source with a quote, and the form in which the quote is searched."""

    searched: Searched
    quote: Quote


class _Locating:
    """Finds the places of claims: first those with a single place, then the others by their neighbours."""

    def __init__(self, sources: Sequence[Source], claims: Sequence[Claim], part: Part | None) -> None:
        self._sources = {source.index: source for source in sources}
        windows = {source.index: (0, len(source.text or "")) for source in sources}
        if part is not None:
            windows = {piece.source: (piece.start, piece.end) for piece in part.pieces}
        self._searched = [
            Searched(source, *windows[source.index])
            for source in sources
            if source.index in windows and (source.text or "").strip()
        ]
        self._claims = claims
        self._places: list[_Place | None] = [None] * len(claims)
        self._taken: set[tuple[int, Span]] = set()

    def evidence(self) -> list[Evidence]:
        """Return the evidence for each claim."""
        found = [self._find(claim) for claim in self._claims]
        for number, each in enumerate(found):
            if each and (only := each.quote.only):
                self._put(number, each, only)
        following = self._following()
        before: int | None = None
        for number, each in enumerate(found):
            if each and self._places[number] is None:
                self._put(number, each, self._nearest(number, each, before, following[number]))
            before = before if self._places[number] is None else number
        return [self._checked(claim, place) for claim, place in zip(self._claims, self._places, strict=True)]

    def _find(self, claim: Claim) -> _Found | None:
        """Return where a claim's quote occurs: preferably in the claim's own source, and exactly."""
        named = self._sources.get(-1 if claim.source is None else claim.source)
        if not claim.quote.strip() or (named and not (named.text or "").strip()):
            return None
        for searched in sorted(self._searched, key=lambda each: each.source.index != claim.source):
            quote = searched.sought(claim.quote)
            if quote is not None:
                return _Found(searched, quote)
        return None

    def _following(self) -> list[int | None]:
        """Return for each claim the next one with a known place."""
        following: list[int | None] = []
        known: int | None = None
        for number in reversed(range(len(self._claims))):
            following.append(known)
            known = known if self._places[number] is None else number
        return following[::-1]

    def _nearest(self, number: int, found: _Found, before: int | None, after: int | None) -> Span:
        """Return the place of a quote that is nearest to those of the claims before and after it."""
        anchors = [*self._anchors(number, found, before, after)] or [found.searched.start]
        candidates = [span for anchor in anchors for span in found.searched.around(found.quote, anchor, TRIED)]

        def cost(span: Span) -> tuple[bool, bool, int, int]:
            taken = (found.searched.source.index, span) in self._taken
            far = sum(abs(span.start - anchor) for anchor in anchors)
            return taken, not found.searched.bounded(span), far, abs(span.start - anchors[0])

        return min(candidates, key=cost)

    def _anchors(self, number: int, found: _Found, before: int | None, after: int | None) -> Iterator[int]:
        """Yield the neighbours' places in the same source: of both, or of the one that is nearer in the data."""
        path = self._claims[number].path
        shared = {each: _shared(path, self._claims[each].path) for each in (before, after) if each is not None}
        for each, depth in shared.items():
            place = self._places[each]
            if place and place.source is found.searched.source and depth == max(shared.values()):
                yield place.span.end if each == before else place.span.start

    def _put(self, number: int, found: _Found, span: Span) -> None:
        source = found.searched.source
        self._places[number] = _Place(source, span, found.quote.exact)
        self._taken.add((source.index, span))

    def _checked(self, claim: Claim, place: _Place | None) -> Evidence:
        if place is None:
            source = self._sources.get(-1 if claim.source is None else claim.source) or self._unread()
            seen = source is not None and not (source.text or "").strip() and claim.quote.strip()
            return Evidence(claim.path, claim.quote, source.index if source else 0, "claimed" if seen else "not_found")
        span, source = place.span, place.source
        status: Status = "exact" if place.exact else "fuzzy"
        return Evidence(claim.path, claim.quote, source.index, status, span.start, span.end, source.page_at(span.start))

    def _unread(self) -> Source | None:
        """Return the source of a quote that names none and is in no text: the first one without text, if any."""
        return next((each for each in self._sources.values() if not (each.text or "").strip()), None)


def _shared(one: str, other: str) -> int:
    """Return the number of common steps at the beginning of two JSON Pointers."""
    count = 0
    for step, same in zip(one.split("/"), other.split("/"), strict=False):
        if step != same:
            break
        count += 1
    return count
