"""Waiting for conditions, however long they take on a busy machine, instead of for fixed times."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 120.0  # seconds
PAUSE = 0.05  # seconds between two checks


def until(condition: Callable[[], T], pause: float = PAUSE) -> T:
    """Return the first true value of a condition. Raise AssertionError if it does not become true."""
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not become true"
        time.sleep(pause)
    return found
