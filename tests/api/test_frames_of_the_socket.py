"""A frame is one of the socket's commands with valid fields, or is refused with an error that says what is valid."""

from __future__ import annotations

import json
import threading
from typing import Any
from uuid import UUID

import pytest

from conversations.errors import InvalidRequest
from conversations.ws.frames import COMMANDS, LARGE, checked_values, off_the_loop, parse_frame, ref_of

ID = "01a208ce-7785-7206-a202-3517d745131f"

FRAMES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"type": "ping"}, {}),
    ({"type": "ping", "ref": None}, {"ref": None}),
    ({"type": "ping", "ref": "r"}, {"ref": "r"}),
    ({"type": "ping", "ref": 1.5}, {"ref": 1.5}),
    ({"type": "turn.follow", "turn": ID}, {"turn": UUID(ID), "after": 0}),
    ({"type": "turn.follow", "turn": ID, "after": 10**18}, {"turn": UUID(ID), "after": 10**18}),
    ({"type": "turn.unfollow", "turn": ID}, {"turn": UUID(ID)}),
    ({"type": "turn.cancel", "turn": ID}, {"turn": UUID(ID)}),
    ({"type": "conversation.follow", "conversation": ID}, {"conversation": UUID(ID)}),
    ({"type": "extraction.follow", "extraction": ID}, {"extraction": UUID(ID), "after": 0}),
    ({"type": "extraction.unfollow", "extraction": ID}, {"extraction": UUID(ID)}),
    (
        {"type": "turn.create", "conversation": ID, "content": "Hello", "idempotency_key": "k" * 255},
        {"conversation": UUID(ID), "content": [{"type": "text", "text": "Hello"}], "idempotency_key": "k" * 255},
    ),
    ({"type": "turn.create", "conversation": ID, "regenerate": ID}, {"conversation": UUID(ID), "regenerate": UUID(ID)}),
    (
        {"type": "turn.tool_results", "turn": ID, "results": [{"tool_use_id": "t", "content": "x"}]},
        {
            "turn": UUID(ID),
            "results": [{"type": "tool_result", "is_error": False, "tool_use_id": "t", "content": "x"}],
        },
    ),
]


@pytest.mark.parametrize(("frame", "values"), FRAMES, ids=[frame["type"] for frame, _ in FRAMES])
def test_a_command_has_its_fields(frame: Any, values: dict[str, Any]) -> None:
    assert checked_values(parse_frame(json.dumps(frame))) == {"type": frame["type"], **values}


def test_every_command_is_tried_here() -> None:
    assert {frame["type"] for frame, _ in FRAMES} == COMMANDS.keys()


REFUSED: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ["type"]),
    ({"type": None}, ["type"]),
    ({"type": ["ping"]}, ["type"]),
    ({"type": "turn.begin"}, ["type"]),
    ({"type": "ping", "turn": ID}, ["turn"]),
    ({"type": "ping", "ref": {"a": 1}}, ["ref"]),
    ({"type": "ping", "ref": []}, ["ref"]),
    ({"type": "ping", "ref": True}, ["ref"]),
    ({"type": "extraction.follow", "extraction": ID, "ref": False}, ["ref"]),
    ({"type": "turn.follow"}, ["turn"]),
    ({"type": "turn.follow", "turn": ID[1:]}, ["turn"]),
    ({"type": "turn.follow", "turn": ID, "after": -1}, ["after"]),
    ({"type": "turn.follow", "turn": ID, "after": 10**18 + 1}, ["after"]),
    ({"type": "turn.follow", "turn": ID, "after": "0"}, ["after"]),
    ({"type": "extraction.follow", "extraction": ID, "after": -1}, ["after"]),
    ({"type": "extraction.follow", "extraction": ID, "after": 10**18 + 1}, ["after"]),
    ({"type": "turn.cancel", "turn": ID, "after": 0}, ["after"]),
    ({"type": "turn.create", "content": "x"}, ["conversation"]),
    ({"type": "turn.create", "conversation": ID}, ["content"]),
    ({"type": "turn.create", "conversation": ID, "regenerate": ID, "parent": None}, ["parent"]),
    ({"type": "turn.create", "conversation": ID, "content": "x", "idempotency_key": ""}, ["idempotency_key"]),
    ({"type": "turn.create", "conversation": ID, "content": "x", "idempotency_key": "k" * 256}, ["idempotency_key"]),
    ({"type": "turn.create", "conversation": ID, "content": "x", "on_active": "wait"}, ["on_active"]),
    ({"type": "turn.tool_results", "turn": ID, "results": []}, ["results"]),
    ({"type": "turn.tool_results", "turn": ID, "results": {}}, ["results"]),
]


@pytest.mark.parametrize(("frame", "places"), REFUSED, ids=[json.dumps(frame)[:60] for frame, _ in REFUSED])
def test_what_is_wrong_with_a_frame_is_told_by_field(frame: Any, places: list[str]) -> None:
    with pytest.raises(InvalidRequest) as refused:
        checked_values(frame)
    assert list(refused.value.details or {}) == places
    assert refused.value.message


def test_an_unknown_command_is_told_which_there_are_and_not_all_of_itself() -> None:
    with pytest.raises(InvalidRequest) as refused:
        checked_values({"type": "x" * 10_000})
    assert all(name in refused.value.message for name in COMMANDS)
    assert len(refused.value.message) < 500


@pytest.mark.parametrize("text", [None, "", "nonsense", "[]", '"ping"', "null", '{"type":"ping","type":"ping"}'])
def test_what_is_no_object_of_json_is_no_frame(text: str | None) -> None:
    with pytest.raises(InvalidRequest):
        parse_frame(text)


@pytest.mark.parametrize(
    ("ref", "told"), [("r", "r"), (5, 5), (1.5, 1.5), (None, None), ([], None), ({"a": 1}, None), (True, None)]
)
def test_an_answer_has_a_reference_that_is_nothing_odd(ref: Any, told: Any) -> None:
    """Errors have the frame's reference, too."""
    assert ref_of({"type": "ping", "ref": ref}) == told
    assert ref_of({"type": "ping"}) is None


@pytest.mark.parametrize(("size", "elsewhere"), [(LARGE, False), (LARGE + 1, True)])
async def test_what_is_large_is_checked_beside_the_loop(size: int, elsewhere: bool) -> None:
    def where(value: str) -> tuple[str, threading.Thread]:
        return value, threading.current_thread()

    value, thread = await off_the_loop(where, "x", size=size)
    assert value == "x"
    assert (thread is not threading.current_thread()) is elsewhere
