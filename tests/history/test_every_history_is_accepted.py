"""A tree of turns with stops, crashes, edits, regenerations, tools, pauses and changes of settings is always accepted.

Each request is checked by the sandbox's validator, which knows the prefix to which thinking is bound, and is answered
by the sandbox; the stored part of the answer becomes the next request's history.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations import tools
from conversations.claude import catalogue
from conversations.content import cache_marks, history
from conversations.content.history import Said
from conversations.sandbox.refused import Refused
from conversations.sandbox.replies import answer_to, directives_in
from conversations.sandbox.request_rules import validate

MODELS = st.sampled_from(["claude-haiku-5-5", "claude-fable-5-2", "claude-sonnet-4-6", "claude-sonnet-4-5"])
SYSTEMS = st.sampled_from(["Be brief.", "Be kind.", None])
LOOK = {"name": "look", "input_schema": {"type": "object"}}
TOOLS = st.sampled_from([[LOOK], [LOOK, {"type": "web_search_20260318", "name": "web_search"}]])
OPEN = '{"type": "server_tool_use", "id": "srvtoolu_open", "name": "web_search", "input": {}}'
"""A server tool call that Claude may leave without a result."""
CODE = '{"type": "server_tool_use", "id": "srvtoolu_code", "name": "code_execution", "input": {}}'
CALLED_BY = '"caller": {"type": "code_execution_20260521", "tool_id": "srvtoolu_code"}'
BY_CODE = f'{{"type": "tool_use", "id": "toolu_code", "name": "look", "input": {{}}, {CALLED_BY}}}'
AGAIN = 'content=[{"type": "tool_use", "id": "call_0", "name": "look", "input": {}}]; stop_reason=tool_use; then'
"""A call by a server that numbers the calls of each answer anew."""
MCP = '{"type": "mcp_tool_use", "id": "mcptoolu_open", "name": "ask", "server_name": "s", "input": {}}'
SAYS = st.sampled_from(
    [
        "",
        "[[sandbox: thinking]]",
        "[[sandbox: thinking; redacted_thinking]]",
        "[[sandbox: refusal=cyber]]",
        "[[sandbox: refusal=bio; text=no]]",
        "[[sandbox: words=50; thinking]]",
        "[[sandbox: empty]]",
        "[[sandbox: web_search; thinking; stop_reason=pause_turn; then; thinking; text=found]]",
        "[[sandbox: thinking; tool=look; then; thinking; tool=look; tool=look; then; thinking; text=seen]]",
        f"[[sandbox: content=[{OPEN}]; stop_reason=pause_turn; then; thinking; text=found; stop_reason=max_tokens]]",
        f"[[sandbox: content=[{OPEN}]; stop_reason=pause_turn; then; thinking; tool=look; then; thinking; text=seen]]",
        f"[[sandbox: thinking; content=[{CODE}, {BY_CODE}]; stop_reason=tool_use; then; thinking; text=seen]]",
        f"[[sandbox: {AGAIN}; {AGAIN}; text=seen]]",
        f"[[sandbox: content=[{MCP}]; stop_reason=pause_turn; then; thinking; tool=look; then; thinking; text=seen]]",
        '[[sandbox: text=" "]]',
        "[[sandbox: stop_reason=gone_fishing; thinking]]",
    ]
)
CUTS = st.sampled_from([None, None, None, "stopped", "crashed", "max_tokens"])


def goes_on_by_itself(last: Said) -> bool:
    """Return whether a turn may go on, or a new one begin, after this message without another message."""
    calls = last.stop_reason == "tool_use" and any(block["type"] == "tool_use" for block in last.content)
    return last.role == "user" or calls or history.is_paused(last.content, last.stop_reason)


class Node:
    """A message in the tree, and the path to it."""

    def __init__(self, said: Said, before: list[Said]) -> None:
        self.path = [*before, said]


def ask(path: list[Said], held: Any) -> tuple[Any, Said]:
    """Build the request for a path and validate it; return the request and the complete answer."""
    prefix = tuple(held.get(name) for name in ("model", "system", "tools"))
    plain: Any = {**held, "tools": tools.tools_for_claude(held["tools"])}
    model = catalogue.find(held["model"])
    assert model is not None
    request: Any = cache_marks.with_cache_marks(
        history.build_request(path, plain, list, prefix, bound=model.preserved_thinking), model.cache_minimum
    )
    validate(request, version="2026-10-21")
    directives, prompt = directives_in(request)
    answer = answer_to(request, model, directives, prompt)
    content: Any = answer.content
    return request, Said("assistant", content, answer.stop_reason, prefix)


def cut(draw: Any, answer: Said, how: str | None) -> Said:
    """Return what is stored of an answer that ended as `how` says."""
    if how is None:
        return answer
    content: list[Any] = [dict(block) for block in answer.content[: draw(st.integers(0, len(answer.content)))]]
    if content and "text" in content[-1]:
        content[-1]["text"] = content[-1]["text"][: draw(st.integers(0, 12))]
    if content and content[-1]["type"] == "thinking":
        content[-1]["signature"] = ""
    return Said("assistant", content, "max_tokens" if how == "max_tokens" else None, answer.prefix)


@settings(max_examples=int(os.environ.get("HISTORIES", "60")), deadline=None)
@given(st.data())
def test_every_history_is_accepted(data: st.DataObject) -> None:
    draw = data.draw
    nodes: list[Node] = []
    held = {"model": draw(MODELS), "system": draw(SYSTEMS), "tools": draw(TOOLS), "max_tokens": 1000}
    for number in range(draw(st.integers(1, 8))):
        if draw(st.integers(0, 3)) == 0:
            held = {**held, "model": draw(MODELS), "system": draw(SYSTEMS), "tools": draw(TOOLS)}
        before = draw(st.sampled_from([[], *(node.path for node in nodes)])) if nodes else []
        path = before
        if not (before and goes_on_by_itself(before[-1]) and draw(st.booleans())):
            question = Said("user", [{"type": "text", "text": f"Question {number} {draw(SAYS)}"}])
            nodes.append(Node(question, before))
            path = nodes[-1].path
        for _ in range(5):
            _, answer = ask(path, held)
            how = draw(CUTS)
            nodes.append(Node(cut(draw, answer, how), path))
            path = nodes[-1].path
            calls = [block["id"] for block in answer.content if block["type"] == "tool_use"]
            if how or (answer.stop_reason not in ("tool_use", "pause_turn")):
                break
            if calls:
                done = draw(st.lists(st.sampled_from(calls), unique=True)) if draw(st.booleans()) else calls
                results: list[Any] = [{"type": "tool_result", "tool_use_id": id, "content": "a wall"} for id in done]
                if not results:
                    break
                nodes.append(Node(Said("user", results), path))
                path = nodes[-1].path
                if len(done) < len(calls):
                    break


def test_the_validator_would_notice() -> None:
    """Thinking is refused when it is sent again after a change of the messages before it."""
    held = {"model": "claude-fable-5-2", "system": "Be brief.", "tools": [LOOK], "max_tokens": 1000}
    question = Said("user", [{"type": "text", "text": "Hello [[sandbox: thinking]]"}])
    _, answer = ask([question], held)
    request, _ = ask([question, answer, question], held)
    assert request["messages"][1]["content"][0]["type"] == "thinking"
    with pytest.raises(Refused, match="bound to a different conversation"):
        validate({**request, "system": "Be kind."}, version="2026-10-21")
