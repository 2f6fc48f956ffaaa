"""The leaves of extracted data, each of which has evidence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from conversations.json_types import JSON
from extraction.evidence.finding import Claim

TELLING = 4
"""The minimal characters of a value to search: shorter ones occur by chance in any text."""


def leaves(data: JSON, path: str = "") -> Iterator[tuple[str, JSON]]:
    """Yield the strings, numbers and booleans of data in order, each with its JSON Pointer, without nulls."""
    inner: Iterable[tuple[JSON, JSON]] = ()
    if isinstance(data, dict):
        inner = data.items()
    elif isinstance(data, list):
        inner = enumerate(data)
    elif data is not None:
        yield path, data
    for key, value in inner:
        yield from leaves(value, f"{path}{pointer(key)}")


def pointer(step: JSON) -> str:
    """Return a name or an index as a step of a JSON Pointer."""
    return "/" + str(step).replace("~", "~0").replace("/", "~1")


def claims_for(data: JSON, said: Sequence[Claim]) -> list[Claim]:
    """Return a claim for each leaf of the data: Claude's quote, or else the value as text.

    Claims about paths that are not leaves are dropped; of several about the same leaf the first with a quote is used. A
    value that is too short to search, and has no quote, gets an empty one.
    """
    known: dict[str, Claim] = {}
    for claim in said:
        if claim.quote.strip():
            known.setdefault(claim.path, claim)
    return [known.get(path) or Claim(path, _written(value)) for path, value in leaves(data)]


def _written(value: JSON) -> str:
    written = "" if isinstance(value, bool) else str(value)
    return written if len(written) >= TELLING else ""
