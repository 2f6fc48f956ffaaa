"""Ctrl-C while an answer comes: it stops the answer, not the chat."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Self


class StopOnInterrupt:
    """While it is entered, the first Ctrl-C stops a turn; the second one interrupts the program as usual.

    The turn's id is not known until the server has created it: until then a stop is remembered.
    """

    def __init__(self, stop: Callable[[str], None]) -> None:
        self._stop = stop
        self._turn = ""
        self._asked = False
        self._before: Any = None

    def __enter__(self) -> Self:
        self._before = signal.signal(signal.SIGINT, self._interrupted)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.signal(signal.SIGINT, self._before)

    def know(self, turn: str) -> None:
        """Take note of the turn's id."""
        known, self._turn = self._turn, turn
        if self._asked and not known:
            self._stop_aside()

    def _interrupted(self, number: int, frame: FrameType | None) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True
        if self._turn:
            self._stop_aside()

    def _stop_aside(self) -> None:
        # In a thread: the handler may have interrupted the very client that it would use, in the middle of a request.
        threading.Thread(target=self._stop, args=(self._turn,), daemon=True).start()
