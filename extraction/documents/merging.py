"""Joining what several parts of a document gave into one result. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Found:
    """What one part gave."""

    data: Any
    places: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Where the leaves stand, by JSON Pointer: index of the source and offset; those that are known."""
    overlaps: Mapping[int, int] = field(default_factory=dict)
    """For each source, by index, the offset up to which it repeats the part before."""


@dataclass(frozen=True)
class Merged:
    """The joined data, what the parts did not agree on, and where the leaves of each part have gone."""

    data: Any
    problems: list[dict[str, str]]
    moved: list[dict[str, str]]
    """For each part: the JSON Pointers of its leaves that were kept, each with its pointer in `data`."""


def merge(parts: Sequence[Found]) -> Merged:
    """Return the data of all parts as one.

    Objects are joined field by field: what was found first stays, and another value for it in a later part is a problem
    of that path. Null, and the empty string, are not found. Lists follow each other without what a part repeats of the
    end of the one before: the longest run of items at the beginning that agree with the last ones, and that stand in
    the overlap where their places are known.
    """
    raise NotImplementedError
