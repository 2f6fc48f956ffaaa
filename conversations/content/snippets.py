"""Where a text has what was searched for: a piece of it as harmless HTML. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from html import escape
from typing import NamedTuple

from conversations.content.search_query import SearchQuery
from conversations.content.search_text import BOUNDARY, folded, is_aligned, marked, segments

BEFORE, AFTER = 60, 160  # characters that are shown before and after the place where the first match begins
PART, OVERLAP = 4_000, 1_000  # characters of a long text that are looked at together, and again with the next ones


class Match(NamedTuple):
    """Where in a text a term of a query stands."""

    start: int
    end: int
    term: int


def snippet(text: str, query: SearchQuery) -> str:
    """Return a piece of a text in which the terms of a query are in `<mark>`, the only tag; all else is escaped.

    The piece is where most of the terms stand close together; the beginning, where none is found.
    """
    part = _best_part(text, query)
    matches = _matches(part, query)
    start, end = _trimmed(part, _where_most_begin(matches))
    return _with_marks(part, start, end, matches)


def _best_part(text: str, query: SearchQuery) -> str:
    """Return the first part of a text that has as many terms as any."""
    if len(text) <= PART:
        return text
    patterns = [term.pattern for term in query.terms]
    parts = [text[at : at + PART] for at in range(0, len(text), PART - OVERLAP)]
    return max(parts, key=lambda part: _have(marked(folded(part)), patterns))


def _have(whole: str, patterns: list[str]) -> int:
    """Return how many of the patterns a marked text has."""
    return sum(pattern in whole for pattern in patterns)


def _matches(text: str, query: SearchQuery) -> list[Match]:
    """Return where the terms stand in a text, in their order there."""
    folded_text = folded(text)
    whole = marked(folded_text)
    starts, ends = _origins(text, folded_text)
    found = []
    for term, pattern in enumerate(each.pattern for each in query.terms):
        boundaries = counted = 0
        for at in _occurrences(pattern, whole):
            boundaries, counted = boundaries + whole.count(BOUNDARY, counted, at), at
            first = at - boundaries
            start, end = starts[first], ends[first + len(pattern) - pattern.count(BOUNDARY) - 1]
            found.append(Match(start, start + len(text[start:end].rstrip()), term))
    return sorted(found, key=lambda match: (match.start, -match.end))


def _origins(text: str, folded_text: str) -> tuple[Sequence[int], Sequence[int]]:
    """Return where that begins in a text, and where it ends, which each character of the folded text comes from."""
    if is_aligned(text, folded_text):
        return range(len(text)), range(1, len(text) + 1)
    parts = segments(text)
    return [part.start for part in parts for _ in part.folded], [part.end for part in parts for _ in part.folded]


def _occurrences(pattern: str, text: str) -> Iterator[int]:
    at = text.find(pattern)
    while at >= 0:
        yield at
        at = text.find(pattern, at + len(pattern))


def _where_most_begin(matches: list[Match]) -> int:
    """Return where the first match begins after which, within what is shown, there are as many terms as anywhere."""
    best = most = entered = 0
    near: Counter[int] = Counter()  # the terms from each match in turn to the last one that would be shown with it
    for match in matches:
        while entered < len(matches) and matches[entered].start < match.start + AFTER:
            near[matches[entered].term] += 1
            entered += 1
        if len(near) > most:
            best, most = match.start, len(near)
        near[match.term] -= 1
        if not near[match.term]:
            del near[match.term]
    return best


def _trimmed(text: str, begin: int) -> tuple[int, int]:
    """Return where the piece begins and ends that is shown: between words, if they are not too long for that."""
    start, end = max(0, begin - BEFORE), min(len(text), begin + AFTER)
    if start and (space := text.find(" ", start, begin)) >= 0:
        start = space + 1
    if end < len(text) and (space := text.rfind(" ", begin + BEFORE, end)) >= 0:
        end = space
    return start, end


def _with_marks(text: str, start: int, end: int, matches: list[Match]) -> str:
    shown, at = [], start
    for match in matches:
        if match.start >= at and match.end <= end:
            shown += [_escaped(text[at : match.start]), "<mark>", _escaped(text[match.start : match.end]), "</mark>"]
            at = match.end
    return "".join([*shown, _escaped(text[at:end])])


def _escaped(text: str) -> str:
    return escape(text, quote=False)
