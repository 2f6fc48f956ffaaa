"""The division of an extraction into requests, and their places in it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from conversations.json_types import JSONSchema

Schema = JSONSchema

Thread = tuple[int, int]
"""The numbers, from 0, of a part of the content and a group of fields: a request asks for one of the other."""


class Place(NamedTuple):
    """The place of a request, and of its answer, in an extraction."""

    attempt: int
    """The number of the attempt, from 1."""
    part: int = 0
    """The number of the part of the content, from 0."""
    group: int = 0
    """The number of the group of fields, from 0."""
    turn: int = 0
    """The number of continuations before it, from 0."""


@dataclass(frozen=True)
class Group:
    """Fields of a schema that are requested together."""

    schema: Schema
    """The schema of the group's data."""
    grammar: Schema | None
    """What structured outputs hold Claude to: data and evidence; None where they can't express the schema."""
    leaves: int
    """The number of values, with a list's items counted once."""
    lists: bool
    """Whether there are lists, so that the answer's length depends on the document."""


@dataclass(frozen=True)
class Answered:
    """An answer as it was stored."""

    place: Place
    text: str
    stop_reason: str | None
    whole: bool
    """Whether Claude's answer was received completely."""
    explanation: str = ""
    """Claude's explanation of its refusal."""
