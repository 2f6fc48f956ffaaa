"""The order in which the search reads shelves: sections of results by rank, with bounds on their sort values.

Of a section only the range of its sort values is known beforehand. Sections are read from the nearest on until a page
is full, and then those that may have results before its last one. So a frequent word costs only the matches on one or
two shelves. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from conversations.services.search import RANK_SHIFT, Rank

TITLES = (Rank.BEGINS_IN_TITLE, Rank.WHOLE_IN_TITLE)


class Shelf(NamedTuple):
    """A shelf, and the range of its conversations' times, in microseconds."""

    number: int
    earliest: int
    latest: int


@dataclass(frozen=True)
class Section:
    """The results of some ranks on a shelf, and the range of their sort values."""

    shelf: int
    ranks: tuple[Rank, Rank]
    """The minimal and the maximal value."""
    least: int
    greatest: int


def sections_by_relevance(shelves: Iterable[Shelf], ranks: Iterable[Rank]) -> list[Section]:
    """Return the sections of each shelf: one for titles, which are few, and one for each other rank."""
    of_titles = {rank: TITLES if rank.in_title else (rank, rank) for rank in ranks}
    return [
        Section(shelf.number, span, (span[0] << RANK_SHIFT) + shelf.earliest, (span[1] << RANK_SHIFT) + shelf.latest)
        for shelf in shelves
        for span in dict.fromkeys(of_titles.values())
    ]


def sections_by_time(shelves: Iterable[Shelf], ranks: Sequence[Rank]) -> list[Section]:
    """Return one section for each shelf, with the results of all ranks."""
    return [Section(number, (min(ranks), max(ranks)), *times) for number, *times in shelves if ranks]


def in_order(sections: Iterable[Section], place: int | None, *, descending: bool) -> list[Section]:
    """Return the sections that reach beyond a place, the nearest first."""
    if descending:
        ahead = [each for each in sections if place is None or each.least <= place]
        return sorted(ahead, key=lambda each: each.greatest, reverse=True)
    return sorted((each for each in sections if place is None or each.greatest >= place), key=lambda each: each.least)
