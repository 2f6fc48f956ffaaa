"""Snippets of search results: a part of a text with the matches, as safe HTML. Pure."""

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
    """The place of a match of a term in a text."""

    start: int
    end: int
    term: int


def snippet(text: str, query: SearchQuery) -> str:
    """Return a part of a text with the matches of a query in `<mark>`, the only tag; all else is escaped.

    The part is where most of the terms occur close together; the beginning, if none occurs.
    """
    part = _best_part(text, query)
    matches = _matches(part, query)
    start, end = _trimmed(part, _where_most_begin(matches))
    return _with_marks(part, start, end, matches)


def _best_part(text: str, query: SearchQuery) -> str:
    """Return the first part of a text with the largest number of matching terms."""
    if len(text) <= PART:
        return text
    patterns = [term.pattern for term in query.terms]
    parts = [text[at : at + PART] for at in range(0, len(text), PART - OVERLAP)]
    return max(parts, key=lambda part: _have(marked(folded(part)), patterns))


def _have(whole: str, patterns: list[str]) -> int:
    """Return the number of the patterns in a marked text."""
    return sum(pattern in whole for pattern in patterns)


def _matches(text: str, query: SearchQuery) -> list[Match]:
    """Return the places of the terms in a text, in order."""
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
    """Return the start and end in the text of each character of the folded text."""
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
    """Return the start of the first match after which, within a snippet's length, most terms follow."""
    best = most = entered = 0
    near: Counter[int] = Counter()  # the terms from a match to the last one that would be shown with it
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
    """Return the start and end of the snippet: between words, unless they are too long."""
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
