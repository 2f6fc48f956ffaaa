"""The partial data while Claude still writes. Pure."""

from __future__ import annotations

import re
import time
from typing import Any

import jiter

from conversations.json_types import JSON

PAUSE = 0.1  # seconds between two updates
GROWTH = 1.05  # minimal growth factor between updates: all updates together then cost no more than a few of the last
LARGEST = 300_000  # characters, above which an update would block the event loop
START = re.compile(r"[{\[]")

Thread = tuple[int, int]


class PartialData:
    """The unfinished answers, and their data so far."""

    def __init__(self) -> None:
        self._texts: dict[Thread, str] = {}
        self._looked_at = 0.0
        self._size = 0.0
        self._data: JSON = None

    def begin(self, thread: Thread, said: str) -> None:
        """Begin an answer, or continue one with its text so far."""
        self._texts[thread] = said

    def add(self, thread: Thread, text: str) -> JSON:
        """Add more text of an answer; return the data, if an update is due and it has grown."""
        self._texts[thread] += text
        size = sum(map(len, self._texts.values()))
        now = time.monotonic()
        if size > LARGEST or size < self._size * GROWTH or now - self._looked_at < PAUSE:
            return None
        self._size, self._looked_at = size, now
        return self.news()

    def news(self) -> JSON:
        """Return the data of all answers together, or None if it has not grown."""
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
    """Merge the data of two answers: fields of either, lists concatenated, else the first value."""
    if isinstance(first, dict) and isinstance(more, dict):
        return {**more, **first, **{key: _joined(first[key], more[key]) for key in first.keys() & more.keys()}}
    if isinstance(first, list) and isinstance(more, list):
        return [*first, *more]
    return more if first is None else first
