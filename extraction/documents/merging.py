"""Merging the results of a document's parts. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from conversations.exact_json import dumps
from conversations.json_types import JSON, JSONObject
from extraction.documents.splitting import Part
from extraction.evidence.leaves import leaves, pointer

if TYPE_CHECKING:
    from conversations.contract.extraction_types import Problem

Place = tuple[int, int]
"""The index of a source, and an offset in its text."""
TOLD = 80  # characters of a value that a problem quotes


@dataclass(frozen=True)
class Found:
    """The result of one part."""

    data: JSON
    places: Mapping[str, Place] = field(default_factory=dict)
    """The known places of leaves, by JSON Pointer."""
    overlaps: Mapping[int, int] = field(default_factory=dict)
    """For each source, by index, the offset up to which this part repeats the one before; see `overlaps`."""


@dataclass(frozen=True)
class Merged:
    """The merged data, contradictions between the parts, and where each part's leaves are in it."""

    data: JSON
    problems: list[Problem]
    moved: list[dict[str, str]]
    """For each part: the JSON Pointers of its leaves that were kept, each with its pointer in `data`."""


def overlaps(part: Part) -> dict[int, int]:
    """Return for each source that a part repeats the offset up to which it does."""
    return {piece.source: piece.start + piece.overlap for piece in part.pieces if piece.overlap}


def merge(parts: Sequence[Found]) -> Merged:
    """Merge the data of all parts.

    Objects are merged field by field: the first value is kept, and a different value in a later part is a problem at
    that path. Null and the empty string do not count as values. Lists are concatenated without the items that a part
    repeats: those most of whose leaves are at the places of an existing item or, if no places are known, the longest
    run at the beginning that agrees with the last items of the part before.
    """
    merging = _Merging()
    moved = [merging.add(number, part) for number, part in enumerate(parts, 1)]
    return Merged(merging.data, merging.problems, moved)


class _Merging:
    """The merged result of the parts so far."""

    def __init__(self) -> None:
        self.data: JSON = None
        self.problems: list[Problem] = []
        self._places: dict[str, Place] = {}

    def add(self, number: int, part: Found) -> dict[str, str]:
        """Merge another part, and return the new pointers of its kept leaves."""
        self._number, self._part = number, part
        self._moved: dict[str, str] = {}
        self.data = self._joined(self.data, part.data, "", "")
        self._places |= {new: part.places[old] for old, new in self._moved.items() if old in part.places}
        return self._moved

    def _joined(self, kept: JSON, new: JSON, path: str, at: str) -> JSON:
        """Merge two values. `path` is the pointer in the merged data, `at` the one in the part's."""
        if _missing(new):
            return new if kept is None else kept
        if _missing(kept):
            self._moved |= {f"{at}{leaf}": f"{path}{leaf}" for leaf, value in leaves(new) if value != ""}
            return new
        if isinstance(kept, dict) and isinstance(new, dict):
            names = [*kept, *(name for name in new if name not in kept)]
            return {name: self._field(name, kept, new, path, at) for name in names}
        if isinstance(kept, list) and isinstance(new, list):
            return self._list(kept, new, path, at)
        if kept != new:
            told = [dumps(value, ascii=False, default=str)[:TOLD] for value in (new, kept)]
            message = f"Part {self._number} has {told[0]}; {told[1]}, which was found first, is kept."
            self.problems.append({"path": path, "message": message})
        return kept

    def _field(self, name: str, kept: JSONObject, new: JSONObject, path: str, at: str) -> JSON:
        inner = pointer(name)
        return self._joined(kept.get(name), new.get(name), f"{path}{inner}", f"{at}{inner}")

    def _list(self, kept: list[JSON], new: list[JSON], path: str, at: str) -> list[JSON]:
        joined = list(kept)
        same = self._same_places(path, at) or self._same_run(kept, new, at)
        for index, item in enumerate(new):
            place = same.get(index, len(joined))
            before = joined[place] if index in same else None
            joined[place : place + 1] = [self._joined(before, item, f"{path}/{place}", f"{at}/{index}")]
        return joined

    def _same_places(self, path: str, at: str) -> dict[int, int]:
        """Return the items of a part's list that exist already, by their places, with the existing indexes."""
        items: dict[Place, list[int]] = {}
        for index, places in _by_item(self._places, path).items():
            for place in places:
                items.setdefault(place, []).append(index)
        same: dict[int, int] = {}
        for index, places in _by_item(self._part.places, at).items():
            shared = Counter(each for place in places if self._repeated(place) for each in items.get(place, ()))
            for other, count in shared.most_common(1):
                if 2 * count > len(places) and other not in same.values():
                    same[index] = other
        return same

    def _same_run(self, kept: list[JSON], new: list[JSON], at: str) -> dict[int, int]:
        """Return the first items of a part's list that equal the last ones of the existing list."""
        if not self._part.overlaps:
            return {}
        places = _by_item(self._part.places, at)
        fresh = (index for index, known in places.items() if not any(map(self._repeated, known)))
        for count in range(min(len(kept), len(new), *fresh), 0, -1):
            first = len(kept) - count
            if all(_agree(kept[first + index], new[index]) for index in range(count)):
                return {index: first + index for index in range(count)}
        return {}

    def _repeated(self, place: Place) -> bool:
        """Return whether a place is in the text that the part repeats."""
        source, offset = place
        return offset < self._part.overlaps.get(source, 0)


def _missing(value: JSON) -> bool:
    return value is None or value == ""


def _by_item(places: Mapping[str, Place], path: str) -> dict[int, list[Place]]:
    """Return the places of the leaves of each item of the list at a path."""
    found: dict[int, list[Place]] = {}
    for leaf, place in places.items():
        if leaf.startswith(f"{path}/"):
            found.setdefault(int(leaf[len(path) + 1 :].split("/", 1)[0]), []).append(place)
    return found


def _agree(one: JSON, other: JSON) -> bool:
    """Return whether two items may be the same: they share a value, and do not contradict each other."""
    pairs = list(_pairs(one, other))
    return all(a == b for a, b in pairs) and bool(pairs)


def _pairs(one: JSON, other: JSON) -> Iterable[tuple[JSON, JSON]]:
    """Yield the values at places that two items have in common."""
    if _missing(one) or _missing(other):
        return
    if isinstance(one, dict) and isinstance(other, dict):
        for name in one.keys() & other.keys():
            yield from _pairs(one[name], other[name])
    else:
        yield one, other
