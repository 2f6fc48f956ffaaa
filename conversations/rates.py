"""How often somebody does something: as often at once as in a minute, and no more than that in any minute after."""

from __future__ import annotations

import threading
import time


class Rate:
    """What one of them has left. May be asked from any thread."""

    def __init__(self, per_minute: float) -> None:
        self._most = per_minute
        self._left = per_minute
        self._at = time.monotonic()
        self._lock = threading.Lock()

    def takes(self) -> bool:
        """Count once more. Return False, and do not count, where that is one too many."""
        with self._lock:
            self._refill()
            if self._left < 1:
                return False
            self._left -= 1
            return True

    @property
    def wait(self) -> float:
        """Return the seconds until there is room for one more."""
        return max(0.0, (1 - self._left) * 60 / self._most)

    @property
    def used(self) -> int:
        """Return how much of a minute's allowance is used."""
        with self._lock:
            self._refill()
            return round(self._most - self._left)

    def _refill(self) -> None:
        now = time.monotonic()
        self._left = min(self._most, self._left + (now - self._at) * self._most / 60)
        self._at = now
