"""What there is of the data while Claude still writes. Pure."""

from __future__ import annotations

import re
import time
from typing import Any

import jiter

from conversations.json_types import JSON

PAUSE = 0.1  # seconds between two looks
GROWTH = 1.05  # times as much as the last time there must be: all looks together cost no more than a few of the last
LARGEST = 300_000  # characters, above which a look would hold up everybody else
START = re.compile(r"[{\[]")

Thread = tuple[int, int]


class PartialData:
    """The answers that are being written, and what they come to so far."""

    def __init__(self) -> None:
        self._texts: dict[Thread, str] = {}
        self._looked_at = 0.0
        self._size = 0.0
        self._data: JSON = None

    def begin(self, thread: Thread, said: str) -> None:
        """Begin an answer, or go on with what was said of it."""
        self._texts[thread] = said

    def add(self, thread: Thread, text: str) -> JSON:
        """Add more of an answer; return the data, where it is time for a look and there is more than before."""
        self._texts[thread] += text
        size = sum(map(len, self._texts.values()))
        now = time.monotonic()
        if size > LARGEST or size < self._size * GROWTH or now - self._looked_at < PAUSE:
            return None
        self._size, self._looked_at = size, now
        return self.news()

    def news(self) -> JSON:
        """Return the data of all answers together, or None where there is no more than the last time."""
        if sum(map(len, self._texts.values())) > LARGEST:
            return None
        data: JSON = None
        for _, text in sorted(self._texts.items()):
            data = _joined(data, _data_in(text))
        if data is None or data == self._data:
            return None
        self._data = data
        return data


def _data_in(text: str) -> Any:
    start = START.search(text)
    if start is None:
        return None
    try:
        found = jiter.from_json(
            text[start.start() :].encode("utf-8", "replace"),
            partial_mode="trailing-strings",
            float_mode="decimal",
            allow_inf_nan=False,
        )
    except ValueError:
        return None
    is_wrapped = isinstance(found, dict) and "data" in found and not found.keys() - {"data", "evidence"}
    return found["data"] if is_wrapped else found


def _joined(first: JSON, more: JSON) -> JSON:
    """Return what two answers have together: fields of either, lists one after the other, else what was first."""
    if isinstance(first, dict) and isinstance(more, dict):
        return {**more, **first, **{key: _joined(first[key], more[key]) for key in first.keys() & more.keys()}}
    if isinstance(first, list) and isinstance(more, list):
        return [*first, *more]
    return more if first is None else first
