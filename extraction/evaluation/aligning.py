"""Pairing the items of an extracted list with those of the expected one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from conversations.json_types import JSON, JSONObject
from extraction.evaluation.normalising import readings

MOST_PAIRS = 250_000
"""The maximal number of pairs of items for which the optimal assignment is computed; others are aligned by order."""
NEARLY = 0.5  # the maximal weight of values that are similar but not equal
ORDER = 0.001  # the weight of an equal position, which decides between equals
COMPARED = 64  # characters of texts that are compared for similarity
LEAVES = 50  # leaves of an item that are compared

Pair = tuple[int | None, int | None]


@dataclass
class Effort:
    """The remaining effort for optimal assignments in all data that is compared together."""

    values: int = 5_000_000
    """The number of comparisons of values that are left, each of which takes about a microsecond."""

    def is_enough_for(self, left: Sequence[_Item], right: Sequence[_Item]) -> bool:
        """Return whether all items can be compared with each other, and subtract the effort if so."""
        pairs = len(left) * len(right)
        needed = pairs * (1 + max(len(item.leaves) for item in [*left, *right]))
        if pairs > MOST_PAIRS or needed > self.values:
            return False
        self.values -= needed
        return True


@dataclass
class _Item:
    """An item of a list, with its leaves for comparison."""

    leaves: JSONObject = field(default_factory=dict)

    @cached_property
    def readings(self) -> dict[str, frozenset[str]]:
        return {path: readings(value) for path, value in self.leaves.items()}

    @cached_property
    def trigrams(self) -> dict[str, frozenset[str]]:
        return {path: _trigrams(value) for path, value in self.leaves.items() if isinstance(value, str)}

    @cached_property
    def identity(self) -> tuple[tuple[str, str], ...]:
        """A key that is the same for items whose values are all equal as texts."""
        return tuple(sorted((path, min(found)) for path, found in self.readings.items()))


def aligned(expected: Sequence[JSON], actual: Sequence[JSON], effort: Effort | None = None) -> list[Pair]:
    """Return pairs of indices, each index once; an unpaired one is paired with None.

    Pairs are in the order of the expected items, followed by extra ones. Items without similarity are not paired. If
    the effort is not enough to compare all items, different ones are paired by order.
    """
    ours, theirs = [_Item(dict(_leaves(each))) for each in expected], [_Item(dict(_leaves(each))) for each in actual]
    found = _identical(ours, theirs)
    left = [index for index in range(len(ours)) if index not in found]
    right = sorted(set(range(len(theirs))) - set(found.values()))
    found.update(_assigned(left, right, ours, theirs, effort or Effort()))
    extra = sorted(set(range(len(theirs))) - set(found.values()))
    return [*((index, found.get(index)) for index in range(len(ours))), *((None, index) for index in extra)]


def _identical(ours: Sequence[_Item], theirs: Sequence[_Item]) -> dict[int, int]:
    """Return pairs of equal items, the first with the first."""
    waiting: dict[tuple[tuple[str, str], ...], list[int]] = {}
    for index in range(len(theirs) - 1, -1, -1):
        waiting.setdefault(theirs[index].identity, []).append(index)
    return {index: waiting[item.identity].pop() for index, item in enumerate(ours) if waiting.get(item.identity)}


def _assigned(
    left: list[int], right: list[int], ours: Sequence[_Item], theirs: Sequence[_Item], effort: Effort
) -> dict[int, int]:
    """Return the pairs of the optimal assignment; if that is too much effort, those at equal positions."""
    if not left or not right:
        return {}
    if not effort.is_enough_for([ours[each] for each in left], [theirs[each] for each in right]):
        return dict(zip(left, right, strict=False))
    import lap  # it imports numpy, which nothing else needs
    import numpy

    length = max(len(ours), len(theirs))
    alike = numpy.array([[_alike(ours[a], theirs[b]) for b in right] for a in left])
    near = numpy.array([[ORDER * (1 - abs(a - b) / length) for b in right] for a in left])
    _, columns, _ = lap.lapjv(1.0 - alike - near, extend_cost=True)
    pairs = ((row, int(column)) for row, column in enumerate(columns) if column >= 0)
    return {left[row]: right[column] for row, column in pairs if alike[row, column] > 0}


def _alike(one: _Item, other: _Item) -> float:
    """Return the similarity of two items, from 0 to 1."""
    paths = one.leaves.keys() | other.leaves.keys()
    both = one.leaves.keys() & other.leaves.keys()
    if not paths:
        return 1.0
    return sum(_value_alike(one, other, path) for path in both) / len(paths)


def _value_alike(one: _Item, other: _Item, path: str) -> float:
    if one.readings[path] & other.readings[path]:
        return 1.0
    ours, theirs = one.trigrams.get(path), other.trigrams.get(path)
    return NEARLY * len(ours & theirs) / len(ours | theirs) if ours and theirs else 0.0


def _trigrams(text: str) -> frozenset[str]:
    padded = f"  {text[:COMPARED].casefold()} "
    return frozenset(padded[at : at + 3] for at in range(len(padded) - 2))


def _leaves(value: JSON) -> Iterator[tuple[str, JSON]]:
    """Yield the first values of an item by their paths, without nulls."""
    count = 0
    pending = [("", value)]
    while pending and count < LEAVES:
        path, each = pending.pop()
        if isinstance(each, Mapping):
            pending += [(f"{path}/{key}", inner) for key, inner in reversed(list(each.items()))]
        elif isinstance(each, list):
            pending += [(f"{path}/{index}", inner) for index, inner in reversed(list(enumerate(each[:LEAVES])))]
        elif each is not None:
            count += 1
            yield path, each
