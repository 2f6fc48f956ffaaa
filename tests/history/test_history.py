"""Whatever history is stored, Claude accepts the request that is built from it."""

from __future__ import annotations

import itertools
import os
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.content.history import Said, build_request
from conversations.contract.wire import Block, Tool
from conversations.sandbox.request_rules import validate

IDS = itertools.count()
TEXT = st.builds(lambda text: {"type": "text", "text": text}, st.text(max_size=5))
THINKING = st.sampled_from(
    [{"type": "thinking", "thinking": "hm", "signature": "sig"}, {"type": "redacted_thinking", "data": "x"}]
)
CALL = st.builds(lambda: {"type": "tool_use", "id": f"call_{next(IDS)}", "name": "look", "input": {}})
SEARCH = st.builds(lambda: {"type": "server_tool_use", "id": f"srv_{next(IDS)}", "name": "web_search", "input": {}})
CUTS = ["max_tokens", "model_context_window_exceeded", None]
STOPS = st.sampled_from(["end_turn", "tool_use", "pause_turn", "refusal", "stop_sequence", "new", *CUTS])


@st.composite
def paths(draw: st.DrawFn) -> list[Said]:
    """Draw a path of turns that ended, failed or were stopped, with a new question at its end."""
    said: list[Said] = []
    for _ in range(draw(st.integers(0, 5))):
        said.append(asked(draw))
        if draw(st.booleans()):
            continue  # a turn that failed before anything came
        content: list[Any] = draw(st.lists(THINKING, max_size=1))
        for block in draw(st.lists(st.one_of(TEXT, CALL, SEARCH), max_size=4)):
            content.append(block)
            if block["type"] == "server_tool_use" and draw(st.booleans()):
                content.append({"type": "web_search_tool_result", "tool_use_id": block["id"], "content": []})
        said.append(Said("assistant", content, draw(STOPS), prefix=draw(st.sampled_from(["same", "other"]))))
    return [*said, asked(draw)]


def asked(draw: st.DrawFn) -> Said:
    words = draw(st.text(alphabet="abc", min_size=1, max_size=5))
    results: list[Block] = draw(
        st.lists(st.just({"type": "tool_result", "tool_use_id": "call_0", "content": "ok"}), max_size=1)
    )
    return Said("user", [{"type": "text", "text": words}, *results])


@settings(max_examples=int(os.environ.get("HISTORIES", "100")), deadline=None)
@given(paths())
def test_every_path_becomes_a_valid_request(path: list[Said]) -> None:
    tools: list[Tool] = [{"name": "look", "input_schema": {"type": "object"}}]
    request: Any = build_request(path, {"model": "claude-sonnet-4-6", "max_tokens": 10, "tools": tools}, list, "same")
    validate(request, version="2026-10-21")
    assert complaints(request["messages"]) == []
    assert request["messages"][-1]["role"] == "user"
    assert path[-1].content[0] in request["messages"][-1]["content"]


def complaints(messages: list[Any]) -> list[str]:
    """Return what Claude objects to in messages that end with a question, by rules independent of the sandbox's."""
    found: list[str] = []
    if [message["role"] for message in messages] != [("user", "assistant")[n % 2] for n in range(len(messages))]:
        found.append("roles do not alternate from the user's")
    pending: set[str] = set()
    answers = [block for message in messages[1::2] for block in message["content"]]
    results = [block["tool_use_id"] for block in answers if block["type"] == "web_search_tool_result"]
    calls = [block["id"] for block in answers if block["type"] == "server_tool_use"]
    if sorted(results) != sorted(calls):
        found.append("a server tool's call without its result, or the other way round")
    for message in messages:
        kinds = [block["type"] for block in message["content"]]
        if not kinds or set(kinds) <= {"thinking", "redacted_thinking"}:
            found.append("nothing is said")
        if any(not block["text"].strip() for block in message["content"] if block["type"] == "text"):
            found.append("empty text")
        if message["role"] == "user":
            given = [block["tool_use_id"] for block in message["content"] if block["type"] == "tool_result"]
            if sorted(given) != sorted(pending) or "tool_result" in kinds[len(given) :]:
                found.append("results are not those of the calls before them, or not first")
        pending = {block["id"] for block in message["content"] if block["type"] == "tool_use"}
    return found + ["a call without a result"] * bool(pending)


def test_a_tool_loop_keeps_its_thinking_after_a_change_of_model() -> None:
    old: Block = {"type": "thinking", "thinking": "old", "signature": "old"}
    new: Block = {"type": "thinking", "thinking": "new", "signature": "new"}
    call: Block = {"type": "tool_use", "id": "call", "name": "look", "input": {}}
    path: list[Said] = [
        Said("user", [{"type": "text", "text": "a"}]),
        Said("assistant", [old, {"type": "text", "text": "b"}], "end_turn", prefix="before"),
        Said("user", [{"type": "text", "text": "c"}]),
        Said("assistant", [new, call], "tool_use", prefix="now"),
        Said("user", [{"type": "tool_result", "tool_use_id": "call", "content": "ok"}]),
    ]
    messages = build_request(path, {"model": "claude-sonnet-4-6", "max_tokens": 10}, list, "now")["messages"]
    assert messages[1]["content"] == [{"type": "text", "text": "b"}]
    assert messages[3]["content"] == [new, call]


def test_a_server_call_stays_open_only_while_claude_goes_on_with_it() -> None:
    search: Block = {"type": "server_tool_use", "id": "srv", "name": "web_search", "input": {}}
    call: Block = {"type": "tool_use", "id": "call", "name": "look", "input": {}}
    result: Block = {"type": "tool_result", "tool_use_id": "call", "content": "ok"}
    text: Block = {"type": "text", "text": "and?"}
    for last, kept in (([result], [search, call]), ([result, text], [call])):
        path = [Said("user", [text]), Said("assistant", [search, call], "tool_use"), Said("user", last)]
        messages = build_request(path, {"model": "claude-sonnet-4-6", "max_tokens": 10}, list)["messages"]
        assert messages[1]["content"] == kept


def test_what_claude_does_not_take_back_is_left_out_of_answers() -> None:
    """Another server than Claude's may answer with an image, or with unsigned thinking."""
    text: Block = {"type": "text", "text": "a"}
    odd: list[Any] = [
        {"type": "thinking", "thinking": "hm"},
        {"type": "thinking", "thinking": "hm", "signature": ""},
        {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
        {"type": "container_upload", "file_id": "file_1"},
    ]
    for blocks in ([block, text] for block in odd):
        path = [Said("user", [text]), Said("assistant", blocks, "end_turn"), Said("user", [text])]
        request: Any = build_request(path, {"model": "claude-sonnet-4-6", "max_tokens": 10}, list)
        validate(request, version="2026-10-21")
        assert request["messages"][1]["content"] == [text]


def test_thinking_stays_as_long_as_nothing_before_it_changed() -> None:
    thought: Block = {"type": "thinking", "thinking": "hm", "signature": "sig"}
    path: list[Said] = [
        Said("user", [{"type": "text", "text": "a"}]),
        Said("assistant", [thought, {"type": "text", "text": "b"}], "end_turn", prefix=1),
        Said("user", [{"type": "text", "text": "c"}]),
    ]
    for prefix, kept in ((1, True), (2, False)):
        request = build_request(path, {"model": "claude-sonnet-4-6", "max_tokens": 10}, list, prefix)
        assert (thought in request["messages"][1]["content"]) is kept


def test_thinking_after_a_call_that_is_left_out_is_left_out_with_it() -> None:
    """Its signature is bound to the running server tool; thinking before the call is not affected."""
    thought: Block = {"type": "thinking", "thinking": "hm", "signature": "sig"}
    text: Block = {"type": "text", "text": "a"}
    search: Block = {"type": "server_tool_use", "id": "srv", "name": "web_search", "input": {}}
    path: list[Said] = [
        Said("user", [text]),
        Said("assistant", [thought, text], "end_turn", prefix=1),
        Said("user", [text]),
        Said("assistant", [search], "pause_turn", prefix=1),
        Said("assistant", [thought, text], "max_tokens", prefix=1),
        Said("user", [text]),
        Said("assistant", [thought, text], "end_turn", prefix=1),
        Said("user", [text]),
    ]
    messages = build_request(path, {"model": "claude-fable-5-2", "max_tokens": 10}, list, 1)["messages"]
    assert [message["content"] for message in messages[1::2]] == [[thought, text], [text], [thought, text]]
