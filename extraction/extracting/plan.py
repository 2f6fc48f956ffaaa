"""What an extraction is divided into, and where each of its requests stands. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from conversations.json_types import JSONSchema

Schema = JSONSchema

Thread = tuple[int, int]
"""A part of the content and a group of fields, by their numbers from 0: what one request asks for of the other."""


class Place(NamedTuple):
    """Where a request stands in an extraction, and its answer with it."""

    attempt: int
    """The number of the attempt, from 1."""
    part: int = 0
    """Which part of the content it is about, from 0."""
    group: int = 0
    """Which fields of the schema it asks for, from 0."""
    turn: int = 0
    """How often Claude was asked to go on before it, from 0."""


@dataclass(frozen=True)
class Group:
    """Fields of a schema that are asked for together."""

    schema: Schema
    """What their data has to satisfy."""
    grammar: Schema | None
    """What structured outputs hold Claude to: data and evidence; None where they can't express the schema."""
    leaves: int
    """How many values there are, each list's items counted once."""
    lists: bool
    """Whether there are lists, so that the document decides how long the answer is."""


@dataclass(frozen=True)
class Answered:
    """An answer as it was stored."""

    place: Place
    text: str
    stop_reason: str | None
    whole: bool
    """Whether Claude's last word came."""
    explanation: str = ""
    """Claude's own words on why it refused."""
