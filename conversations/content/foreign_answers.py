"""Filtering imported or copied answers to the blocks that Claude accepts (claude-api.md 3.1). Pure.

Claude accepts its own answers completely, including future kinds of blocks. Imported answers may contain anything, and
a single refused block would block all later requests of the branch.
"""

from __future__ import annotations

from collections.abc import Iterable

from conversations.contract.wire import Block

Fields = tuple[frozenset[str], frozenset[str]]


def _fields(required: str, optional: str = "") -> Fields:
    return frozenset({"type", *required.split()}), frozenset(optional.split())


_RESULT = _fields("tool_use_id content")
FIELDS: dict[str, Fields] = {
    "text": _fields("text", "citations"),
    "thinking": _fields("thinking signature"),
    "redacted_thinking": _fields("data"),
    "tool_use": _fields("id name input", "caller"),
    "server_tool_use": _fields("id name input", "caller"),
    "mcp_tool_use": _fields("id name input server_name"),
    "mcp_tool_result": _fields("tool_use_id", "content is_error"),
    "web_search_tool_result": _fields("tool_use_id content", "caller"),
    "web_fetch_tool_result": _fields("tool_use_id content", "caller"),
    "code_execution_tool_result": _RESULT,
    "bash_code_execution_tool_result": _RESULT,
    "text_editor_code_execution_tool_result": _RESULT,
    "tool_search_tool_result": _RESULT,
}
"""The required fields of each kind of block, and the optional ones."""


def acceptable(blocks: Iterable[Block]) -> list[Block]:
    """Return the blocks that Claude accepts, without unknown fields."""
    return [taken for block in blocks if (taken := _taken(block)) is not None]


def _taken(block: Block) -> Block | None:
    required, optional = FIELDS.get(str(block.get("type")), (frozenset(), frozenset()))
    if not required or not required <= block.keys():
        return None
    taken = block.copy()
    for name in block.keys() - required - optional:
        del taken[name]  # type: ignore[misc]
    return taken
