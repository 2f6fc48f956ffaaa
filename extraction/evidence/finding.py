"""Finding quotes in sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from extraction.documents.sources import Source
from extraction.documents.splitting import Part

Status = Literal["exact", "fuzzy", "not_found", "claimed"]


@dataclass(frozen=True)
class Claim:
    """What Claude says a value rests on."""

    path: str
    """The JSON Pointer of a leaf of the data."""
    quote: str
    source: int | None = None
    """The index of the content block, where Claude said it."""


@dataclass(frozen=True)
class Evidence:
    """A claim, checked: where the quote stands, in code points of the source's text."""

    path: str
    quote: str
    source: int
    status: Status
    start: int | None = None
    end: int | None = None
    page: int | None = None


def located(sources: Sequence[Source], claims: Sequence[Claim], part: Part | None = None) -> list[Evidence]:
    """Return the evidence for each claim, in order.

    `exact`: the text from `start` to `end` is the quote; `fuzzy`: it is but for case, white space, width, dashes,
    quotation marks, ligatures and hyphenation; `not_found`: neither; `claimed`: it cannot be checked, since the source
    has no text. A quote is looked for in the source that the claim names, then in the others; where it stands several
    times, the place nearest to the evidence of the leaves next to it is taken. With `part`, only what that part has of
    the sources is looked through; offsets are in the whole text all the same.
    """
    raise NotImplementedError
