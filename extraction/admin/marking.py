"""A source's text in segments, each with the values that rest on it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from conversations.contract.extraction_types import Evidence

LONGEST = 300_000
"""Characters of a text that are shown."""


@dataclass(frozen=True)
class Segment:
    """A piece of a text, and the numbers of the values whose quotes it is part of."""

    text: str
    values: tuple[int, ...] = ()

    @property
    def names(self) -> str:
        """The numbers of the values, as the page's script looks for them."""
        return " ".join(map(str, self.values))


def segments(text: str, evidence: Sequence[Evidence], numbers: Mapping[str, int]) -> Iterator[Segment]:
    """Yield a text in segments. `evidence` is of this text; `numbers` has the values' by their paths."""
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
