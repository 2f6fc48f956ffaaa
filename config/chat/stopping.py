"""Ctrl-C during an answer: it stops the answer, not the chat."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Self

import httpx2

from config.server_access import Refused


class StopOnInterrupt:
    """A context in which the first Ctrl-C stops a turn; the second one interrupts the program as usual.

    The turn's id is unknown until the server has created the turn: until then, a stop is remembered.

    Arguments: `stop` stops the turn with an id; `failed` is called with the error if a turn could not be stopped, from
    another thread.
    """

    def __init__(self, stop: Callable[[str], None], failed: Callable[[str], None]) -> None:
        self._stop, self._failed = stop, failed
        self._turn = ""
        self._asked = False
        self._before: Callable[[int, FrameType | None], object] | int | None = None

    def __enter__(self) -> Self:
        self._before = signal.signal(signal.SIGINT, self._interrupted)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.signal(signal.SIGINT, self._before)

    def know(self, turn: str) -> None:
        """Set the turn's id, and stop the turn if that was requested before."""
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
        # In a thread: the signal may have interrupted a request of the same client that the handler would use.
        threading.Thread(target=self._stop_or_tell, daemon=True).start()

    def _stop_or_tell(self) -> None:
        try:
            self._stop(self._turn)
        except (Refused, httpx2.HTTPError) as error:
            self._failed(str(error))
