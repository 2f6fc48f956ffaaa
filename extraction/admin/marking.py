"""Splitting a source's text into segments, each with the values that quote it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from conversations.contract.extraction_types import Evidence

LONGEST = 300_000
"""The number of a text's characters that are shown."""


@dataclass(frozen=True)
class Segment:
    """A part of a text, with the numbers of the values that quote it."""

    text: str
    values: tuple[int, ...] = ()

    @property
    def names(self) -> str:
        """The numbers of the values, in the form that the page's script looks up."""
        return " ".join(map(str, self.values))


def segments(text: str, evidence: Sequence[Evidence], numbers: Mapping[str, int]) -> Iterator[Segment]:
    """Yield the segments of a text. `evidence` is of this text; `numbers` are those of values, by path."""
    spans = [
        (start, end, numbers[each["path"]])
        for each in evidence
        if (start := each.get("start")) is not None and (end := each.get("end")) is not None and each["path"] in numbers
    ]
    length = min(len(text), LONGEST)
    bounds = sorted({0, length, *(at for start, end, _ in spans for at in (start, end) if at < length)})
    for start, end in pairwise(bounds):
        values = tuple(sorted({number for first, last, number in spans if first <= start and end <= last}))
        yield Segment(text[start:end], values)
