"""The leaves of extracted data, each of which has evidence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from extraction.evidence.finding import Claim


def leaves(data: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the strings, numbers and booleans of data in order, each after its JSON Pointer. Null is not one."""
    raise NotImplementedError


def claims_for(data: Any, said: Sequence[Claim]) -> list[Claim]:
    """Return a claim for each leaf of the data: what Claude said, or else the value itself as it would be written.

    Claims about what is no leaf of the data are left out; of several about the same leaf the first is taken.
    """
    raise NotImplementedError
