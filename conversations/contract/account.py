"""What a user may still spend and ask."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypeAliasType, TypedDict

Money = Annotated[str, Field(pattern=r"^-?\d+(\.\d+)?$", description="US dollars.")]


class Budget(TypedDict):
    """A limit on the user's spending in a day or month (UTC); if there are several, the one with the least left."""

    limit: Money
    spent: Money
    held: Annotated[Money, Field(description="US dollars, reserved for requests that have not ended.")]
    period: Literal["day", "month"]
    frees_at: datetime


class Limit(TypedDict):
    """A limit on the user's requests, and how much of it is used."""

    limit: int
    used: int


Prices = TypeAliasType("Prices", dict[str, object])


class ImportProblem(TypedDict):
    """A part of an archive that could not be imported, or was left out."""

    entry: Annotated[
        str,
        Field(description="The place in the archive, with the title; empty if the problem concerns the whole archive."),
    ]
    message: str
