"""Pairing tool calls with their results, as Claude requires (claude-api.md 8). Pure."""

from __future__ import annotations

from typing import Literal

from conversations.contract.wire import Block

Path = list[tuple[str, list[Block]]]
"""Roles and content of messages, from the first to the newest."""

IdField = Literal["id", "tool_use_id"]
CALL_ID: tuple[str, IdField] = ("tool_use", "id")
RESULT_ID: tuple[str, IdField] = ("tool_result", "tool_use_id")
"""The blocks that contain the id of a call, with the field that has it."""

NOT_RUN = "The tool was not run: the answer was stopped before that."


def pair_results(messages: Path) -> Path:
    """Put the results of every tool call into the next message, at its beginning, and omit results without a call."""
    path: Path = []
    calls: list[Block] = []
    for role, content in messages:
        if role == "assistant":
            if calls:
                path.append(("user", _results(calls, [])))
            path.append((role, content))
            calls = client_calls(content)
        else:
            path.append((role, _results(calls, content)))
            calls = []
    if calls:
        path.append(("user", _results(calls, [])))
    return path


def with_distinct_ids(messages: Path) -> Path:
    """Give tool calls, and their results, other ids if these were used before.

    Claude refuses repeated ids, and some servers number the calls of each answer from the beginning.
    """
    used: dict[str, int] = {}
    renamed: list[str] = []
    distinct: Path = []
    for role, content in messages:
        kind, name = CALL_ID if role == "assistant" else RESULT_ID
        places = [at for at, block in enumerate(content) if block.get("type") == kind]
        if role == "assistant":
            renamed = [_unused(content[at]["id"], used) for at in places]
        content = list(content)
        for at, id in zip(places, renamed, strict=False):  # the results are in the calls' order, and come first
            content[at] = block = content[at].copy()
            block[name] = id
        distinct.append((role, content))
    return distinct


def _unused(id: str, used: dict[str, int]) -> str:
    """Return an unused id: this one, or this one with a number.

    Used ids are kept with the last number that was added to them.
    """
    found, number = id, used.get(id, 1)
    while found in used:
        number += 1
        found = f"{id}_{number}"
    used[id] = number
    used[found] = 1
    return found


def client_calls(content: list[Block]) -> list[Block]:
    """Return the calls of the client's tools."""
    return [block for block in content if block.get("type") == "tool_use"]


def _results(calls: list[Block], content: list[Block]) -> list[Block]:
    given = {block.get("tool_use_id"): block for block in content if block.get("type") == "tool_result"}
    rest = [block for block in content if block.get("type") != "tool_result"]
    return [_result(call, given.get(call["id"])) for call in calls] + rest


def _result(call: Block, given: Block | None) -> Block:
    result = given or {"type": "tool_result", "tool_use_id": call["id"], "content": NOT_RUN, "is_error": True}
    # The result of a toolset's member has to name the toolset again.
    return {**result, "toolset_name": call["toolset_name"]} if call.get("toolset_name") else result
