"""Requests that Claude did not accept are retried with growing pauses, within limits of number and time."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from itertools import pairwise
from typing import Any, TypeVar

import pytest

from conversations.claude.retrying import FIRST_PAUSE, LONGEST_PAUSE, retried
from conversations.errors import ClaudeError, ConnectionFailed

T = TypeVar("T")


class SkippedTime(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the time of the next timer."""

    def __init__(self) -> None:
        self.now = 0.0
        super().__init__(_Skipping(self))

    def time(self) -> float:
        return self.now


class _Skipping(selectors.SelectSelector):
    def __init__(self, loop: SkippedTime) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        self._loop.now += timeout or 0
        return super().select(0)


def run(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    with asyncio.Runner(loop_factory=SkippedTime) as runner:
        return runner.run(work())


class Attempts:
    """A call that fails a number of times before it succeeds, and records the times of its attempts."""

    def __init__(self, *errors: ClaudeError) -> None:
        self._errors = [*errors]
        self.times: list[float] = []

    async def __call__(self) -> str:
        self.times.append(asyncio.get_running_loop().time())
        if self._errors:
            raise self._errors.pop(0)
        return "done"

    @property
    def pauses(self) -> list[float]:
        return [later - earlier for earlier, later in pairwise(self.times)]


def refusal(retry_after: float | None = None) -> ClaudeError:
    error = ClaudeError("Busy", retry_after=retry_after)
    error.retryable = True
    return error


@pytest.fixture(autouse=True)
def bounds(settings: Any) -> Any:
    settings.ANTHROPIC_MAX_RETRIES, settings.COLLOQUY_RETRY_TIME = 9, 1000.0
    return settings


def test_what_succeeds_is_not_tried_again() -> None:
    attempts = Attempts()
    assert run(lambda: retried(attempts)) == "done"
    assert attempts.times == [0]


@pytest.mark.parametrize("kind", [ConnectionFailed, refusal], ids=["no answer", "a refusal that passes"])
def test_what_may_pass_is_tried_again(kind: Callable[[], ClaudeError]) -> None:
    attempts = Attempts(kind(), kind())
    assert run(lambda: retried(attempts)) == "done"
    assert len(attempts.times) == 3


def test_what_will_not_pass_is_told_at_once() -> None:
    attempts = Attempts(ClaudeError("No"))
    with pytest.raises(ClaudeError, match="No"):
        run(lambda: retried(attempts))
    assert attempts.times == [0]


def test_pauses_double_up_to_the_longest_and_keep_clients_apart() -> None:
    attempts = Attempts(*(refusal() for _ in range(8)))
    run(lambda: retried(attempts))
    longest = [min(FIRST_PAUSE * 2**number, LONGEST_PAUSE) for number in range(8)]
    assert longest[-1] == LONGEST_PAUSE
    for pause, most in zip(attempts.pauses, longest, strict=True):
        assert 0.75 * most - 1e-6 <= pause <= most + 1e-6
    assert len({pause / most for pause, most in zip(attempts.pauses, longest, strict=True)}) > 1


def test_claudes_own_pause_is_kept_to() -> None:
    attempts = Attempts(refusal(20), refusal(0.25), refusal(3))
    run(lambda: retried(attempts))
    assert attempts.pauses == pytest.approx([20, 0.25, 3])


@pytest.mark.parametrize("retries", [0, 1, 3])
def test_it_is_tried_again_as_often_as_is_set(bounds: Any, retries: int) -> None:
    bounds.ANTHROPIC_MAX_RETRIES = retries
    attempts = Attempts(*(refusal() for _ in range(retries)))
    assert run(lambda: retried(attempts)) == "done"
    attempts = Attempts(*(refusal() for _ in range(retries + 1)))
    with pytest.raises(ClaudeError, match="Busy"):
        run(lambda: retried(attempts))
    assert len(attempts.times) == retries + 1


@pytest.mark.parametrize(("pauses", "tried"), [((10,), 2), ((10.5,), 1), ((4, 6), 3), ((4, 6.5), 2), ((4, 4, 4), 3)])
def test_no_attempt_begins_later_than_is_set(bounds: Any, pauses: tuple[float, ...], tried: int) -> None:
    """The error is raised before the pause, not after it."""
    bounds.COLLOQUY_RETRY_TIME = 10.0
    attempts = Attempts(*map(refusal, pauses), ClaudeError("No"))
    with pytest.raises(ClaudeError):
        run(lambda: retried(attempts))
    assert len(attempts.times) == tried
    assert attempts.times[-1] == pytest.approx(sum(pauses[: tried - 1]))


def test_an_error_of_ours_is_raised_as_it_is() -> None:
    async def broken() -> str:
        raise KeyError("x")

    with pytest.raises(KeyError):
        run(lambda: retried(broken))
