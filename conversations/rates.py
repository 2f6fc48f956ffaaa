"""A rate limiter per minute: bursts up to the limit, and no more than the limit in any later minute."""

from __future__ import annotations

import threading
import time


class Rate:
    """The remaining allowance of one user. Thread-safe."""

    def __init__(self, per_minute: float) -> None:
        self._most = per_minute
        self._left = per_minute
        self._at = time.monotonic()
        self._lock = threading.Lock()

    def takes(self) -> bool:
        """Count one more. Return False, without counting it, if the limit is exceeded."""
        with self._lock:
            self._refill()
            if self._left < 1:
                return False
            self._left -= 1
            return True

    @property
    def wait(self) -> float:
        """Return the seconds until one more is allowed."""
        return max(0.0, (1 - self._left) * 60 / self._most)

    @property
    def used(self) -> int:
        """Return the used part of a minute's allowance."""
        with self._lock:
            self._refill()
            return round(self._most - self._left)

    def _refill(self) -> None:
        now = time.monotonic()
        self._left = min(self._most, self._left + (now - self._at) * self._most / 60)
        self._at = now
