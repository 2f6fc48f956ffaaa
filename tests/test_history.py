"""Whatever was stored, Claude accepts it again."""

from __future__ import annotations

import itertools
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.claude.sandbox.validation import validate
from conversations.history import Said, build

IDS = itertools.count()
TEXT = st.builds(lambda text: {"type": "text", "text": text}, st.text(max_size=5))
THINKING = st.sampled_from(
    [{"type": "thinking", "thinking": "hm", "signature": "sig"}, {"type": "redacted_thinking", "data": "x"}]
)
CALL = st.builds(lambda: {"type": "tool_use", "id": f"call_{next(IDS)}", "name": "look", "input": {}})
SEARCH = st.builds(lambda: {"type": "server_tool_use", "id": f"srv_{next(IDS)}", "name": "web_search", "input": {}})
STOPS = st.sampled_from(["end_turn", "max_tokens", "tool_use", "pause_turn", "refusal", "stop_sequence", None, "new"])


@st.composite
def paths(draw: st.DrawFn) -> list[Said]:
    """Turns that ended, broke or were stopped, one after the other, the newest just asked."""
    said: list[Said] = []
    for _ in range(draw(st.integers(0, 5))):
        said.append(asked(draw))
        if draw(st.booleans()):
            continue  # a turn that failed before anything came
        content: list[dict[str, Any]] = draw(st.lists(THINKING, max_size=1))
        content += draw(st.lists(st.one_of(TEXT, CALL, SEARCH), max_size=4))
        said.append(Said("assistant", content, draw(STOPS), prefix=draw(st.sampled_from(["same", "other"]))))
    return [*said, asked(draw)]


def asked(draw: st.DrawFn) -> Said:
    words = draw(st.text(alphabet="abc", min_size=1, max_size=5))
    results = draw(st.lists(st.just({"type": "tool_result", "tool_use_id": "call_0", "content": "ok"}), max_size=1))
    return Said("user", [{"type": "text", "text": words}, *results])


@settings(max_examples=400)
@given(paths())
def test_every_path_becomes_a_valid_request(path: list[Said]) -> None:
    tools = [{"name": "look", "input_schema": {"type": "object"}}]
    request = build(path, {"model": "claude-sonnet-4-6", "max_tokens": 10, "tools": tools}, list, "same")
    validate(request, version="2026-10-21")
    assert request["messages"][-1]["role"] == "user"
    assert path[-1].content[0] in request["messages"][-1]["content"]


def test_thinking_stays_as_long_as_nothing_before_it_changed() -> None:
    thought = {"type": "thinking", "thinking": "hm", "signature": "sig"}
    path = [
        Said("user", [{"type": "text", "text": "a"}]),
        Said("assistant", [thought, {"type": "text", "text": "b"}], "end_turn", prefix=1),
        Said("user", [{"type": "text", "text": "c"}]),
    ]
    for prefix, kept in ((1, True), (2, False)):
        request = build(path, {"model": "claude-sonnet-4-6", "max_tokens": 10}, list, prefix)
        assert (thought in request["messages"][1]["content"]) is kept
