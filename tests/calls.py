"""Helpers for tests of tools: definitions of tools, and the results of a turn's calls."""

from __future__ import annotations

from typing import Any

from tests.clients import Api

LOOK = {"name": "look", "input_schema": {"type": "object"}}

TOUCH = {"name": "touch", "input_schema": {"type": "object"}}


def ours(*names: str) -> list[dict[str, Any]]:
    return [{"type": "platform", "name": name} for name in names]


def results_in(turn: dict[str, Any]) -> dict[str, Any]:
    """Return the tool results of a turn by the name of the tool."""
    blocks = [block for message in turn["messages"] for block in message["content"]]
    names = {block["id"]: block["name"] for block in blocks if block["type"] == "tool_use"}
    return {names[block["tool_use_id"]]: block for block in blocks if block["type"] == "tool_result"}


def calls_in(turn: dict[str, Any]) -> list[str]:
    return [block["id"] for block in turn["messages"][-1]["content"] if block["type"] == "tool_use"]


def hand_in(api: Api, turn: dict[str, Any], *results: tuple[str, str]) -> Any:
    given = [{"tool_use_id": id, "content": said} for id, said in results]
    return api.post(f"turns/{turn['id']}/tool-results/", {"results": given})
