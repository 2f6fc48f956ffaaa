"""What a user may still spend and ask."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypeAliasType, TypedDict

Money = Annotated[str, Field(pattern=r"^-?\d+(\.\d+)?$", description="US dollars.")]


class Budget(TypedDict):
    """A limit on what the user spends in a day or month (UTC); of several, the tightest."""

    limit: Money
    spent: Money
    held: Annotated[Money, Field(description="US dollars, held for requests that have not ended.")]
    period: Literal["day", "month"]
    frees_at: datetime


class Limit(TypedDict):
    """A limit on what the user asks, and how far it is used."""

    limit: int
    used: int


Prices = TypeAliasType("Prices", dict[str, object])


class ImportProblem(TypedDict):
    """What of an archive could not be imported, or was left out."""

    entry: Annotated[str, Field(description="Where in the archive it stands, with its title; empty for all of it.")]
    message: str
