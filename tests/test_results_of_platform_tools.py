"""What a tool of the platform returns or raises is validated like all external input."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations import tools
from conversations.content import json_checks
from conversations.tools import Caller, Result, tool
from tests.calls import ours, results_in
from tests.clients import Api


class Evil(Exception):
    """An error whose text has a lone surrogate and a NUL."""

    def __str__(self) -> str:
        return "half \ud83c and \0"


def endless() -> Iterator[int]:
    while True:
        yield 1


def around_itself() -> list[Any]:
    circle: list[Any] = []
    circle.append(circle)
    return circle


def exits() -> None:
    raise SystemExit(3)


def raises() -> None:
    raise Evil


def stops() -> None:
    raise StopIteration


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Disable logging: the test runner can't pass on lone surrogates."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


def came_to(function: Callable[[], Any]) -> Result:
    """Call a tool that calls the function; return the tool's result."""

    @tool
    def tried() -> Any:
        return function()

    made = tools.registered_tool("tried")
    assert made is not None
    ids = [uuid.uuid4() for _ in range(3)]
    return asyncio.run(made.run({}, Caller(*ids)))


BAD: dict[str, tuple[Callable[[], Any], str]] = {
    "half a character": (lambda: "party \ud83c", "half surrogate pairs"),
    "NUL": (lambda: "a\0b", "NUL"),
    "half a character in JSON": (lambda: {"a": ["\udf89"]}, "surrogate"),
    "not a number": (lambda: {"a": float("nan")}, "not JSON"),
    "infinity": (lambda: [float("inf")], "not JSON"),
    "an object": (object, "not JSON"),
    "a function": (lambda: [came_to], "not JSON"),
    "a circle": (around_itself, "not JSON"),
    "without an end": (endless, "not JSON"),
    "a block of a kind that is unknown": (lambda: [{"type": "hologram"}], "Must be one of"),
    "a block without its text": (lambda: [{"type": "text"}], "required"),
    "a block with more than there is": (lambda: [{"type": "text", "text": "a", "x": 1}], "Unknown field"),
    "a block whose text is a number": (lambda: [{"type": "text", "text": 5}], "Must be a string"),
    "an image that is none": (
        lambda: [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGVsbG8="}}],
        "",
    ),
    "far too much": (lambda: "x" * 5_000_000, "may have 4000000"),
    "far too many blocks of text": (lambda: [{"type": "text", "text": "x" * 1000}] * 4_500, "may have 4000000"),
    "an error with half a character": (raises, "Evil: half"),
    "an end of the process": (exits, "SystemExit"),
    "an end of an iteration": (stops, "StopIteration"),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_can_not_be_stored_or_sent_is_told(kind: str) -> None:
    function, told = BAD[kind]
    result = came_to(function)
    assert result.is_error
    assert isinstance(result.content, str)
    assert told in result.content
    assert len(result.content) < 5_000
    json_checks.check_text(result.content, "content")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner), max_leaves=12
)


@given(JSON | st.dictionaries(st.text(), JSON))
def test_whatever_is_returned_can_be_stored(value: Any) -> None:
    result = came_to(lambda: value)
    json_checks.check_text(result.content, "content")


@pytest.mark.parametrize("name", ["half_a_character", "unknown_block", "leaves"])
def test_a_turn_goes_on_after_it_and_so_do_those_after_it(api: Api, name: str) -> None:
    conversation = api.conversation(tools=ours(name))
    turn = api.ask(f"Please [[sandbox: tool={name}{{}}]]", conversation)
    assert turn["status"] == "completed"
    assert results_in(turn)[name]["is_error"] is True
    assert api.ask("And now?", conversation)["status"] == "completed"
