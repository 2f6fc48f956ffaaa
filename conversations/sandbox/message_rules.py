"""The rules of version 2026-10-21 for messages: roles, blocks, calls and their results. Pure."""

from __future__ import annotations

from conversations.claude.catalogue import Model
from conversations.sandbox.binding import check_binding
from conversations.sandbox.block_rules import check_block
from conversations.sandbox.refused import require
from conversations.sandbox.request_text import Block, Body

SERVER_CALLS = frozenset({"server_tool_use", "mcp_tool_use"})
"""The calls of tools that Claude runs itself, or reaches over MCP."""


def check_messages(body: Body, model: Model, version: str) -> None:
    """Check the rules about messages: roles, blocks, pairs of tool calls and results, the last one."""
    messages = body["messages"]
    require(messages, "messages: at least one message is required")
    roles = ("user", "assistant", "system") if model.mid_conversation_system else ("user", "assistant")
    for index, message in enumerate(messages):
        _check_message(message, index, roles, last=index == len(messages) - 1, version=version)
    require(messages[0]["role"] == "user", "messages: first message must use the user role")
    merged = _merged(messages)
    _check_tool_pairs(merged)
    _check_server_calls(merged)
    _check_container(body, [block for role, content in merged[-2:] if role == "assistant" for block in content])
    _check_citations([block for role, content in merged if role == "user" for block in content])
    check_binding(body, model)
    role, content = merged[-1]
    paused = any(block["type"] in SERVER_CALLS for block in content)  # then Claude goes on with its own tools
    if role == "assistant" and not paused:
        require(
            model.prefill, f"{model.id} does not support assistant message prefill: the last message must be a user's"
        )
        text = content[-1].get("text", "") if content else ""
        require(text == text.rstrip(), "messages: final assistant content cannot end with trailing whitespace")


def _check_message(message: Body, index: int, roles: tuple[str, ...], *, last: bool, version: str) -> None:
    path = f"messages.{index}"
    require(isinstance(message, dict), f"{path}: must be an object")
    for name in message:
        require(name in ("role", "content"), f"{path}.{name}: Extra inputs are not permitted")
    role, content = message.get("role"), message.get("content")
    require(role in roles, f"{path}.role: must be one of {', '.join(roles)}")
    require(isinstance(content, (str, list)), f"{path}.content: must be a string or a list")
    if isinstance(content, str):
        content = [{"type": "text", "text": content}] if content else []
    optional = last and role == "assistant"
    require(content or optional, f"{path}: all messages must have non-empty content")
    for number, block in enumerate(content or ()):
        check_block(block, str(role), f"{path}.content.{number}", version=version)


def _merged(messages: list[Body]) -> list[tuple[str, list[Block]]]:
    merged: list[tuple[str, list[Block]]] = []
    for message in messages:
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        if merged and merged[-1][0] == message["role"]:
            merged[-1][1].extend(blocks)
        else:
            merged.append((message["role"], list(blocks)))
    return merged


def _check_server_calls(merged: list[tuple[str, list[Block]]]) -> None:
    """Refuse server tool calls without a result, except the last ones, with which Claude continues."""
    called: list[str] = []
    goes_on = True
    for role, content in reversed(merged):
        if role != "assistant":
            goes_on = goes_on and all(block["type"] == "tool_result" for block in content)
            continue
        for block in reversed(content):
            if block["type"].endswith("_tool_result"):
                called.append(block["tool_use_id"])
            elif block["type"] in SERVER_CALLS:
                done = block["id"] in called
                require(done or goes_on, f"messages: `{block['name']}` tool use with id {block['id']} has no result")
                called = [id for id in called if id != block["id"]]
        goes_on = False
    require(not called, f"messages: unexpected `tool_use_id` in results of server tools: {', '.join(called)}")


def _check_container(body: Body, newest: list[Block]) -> None:
    callers = [block.get("caller") for block in newest if block["type"] == "tool_use"]
    kinds = [str(caller.get("type")) for caller in callers if isinstance(caller, dict)]
    waits = any(kind.startswith("code_execution") for kind in kinds)
    require(not waits or body.get("container"), "container: required while code that calls tools is running")


def _check_citations(blocks: list[Block]) -> None:
    inner = [each for block in blocks if isinstance(block.get("content"), list) for each in block["content"]]
    for kind in ("document", "search_result"):
        cited = {
            bool((block.get("citations") or {}).get("enabled")) for block in [*blocks, *inner] if block["type"] == kind
        }
        require(len(cited) < 2, f"messages: citations must be enabled for all {kind} blocks, or for none")


def _check_tool_pairs(merged: list[tuple[str, list[Block]]]) -> None:
    calls: dict[str, object] = {}
    known: set[str] = set()
    for index, (role, content) in enumerate(merged):
        if role == "assistant":
            called = [block for block in content if block["type"] == "tool_use"]
            calls = {block["id"]: block.get("toolset_name") for block in called}
            unique = len(calls) == len(called) and not known & calls.keys()
            require(unique, "messages: tool_use ids must be unique")
            known |= calls.keys()
            require(
                not calls or index < len(merged) - 1, f"messages.{index}: `tool_use` without `tool_result` after it"
            )
        else:
            _check_results(index, content, calls)
            calls = {}


def _check_results(index: int, content: list[Block], calls: dict[str, object]) -> None:
    given = [block for block in content if block["type"] == "tool_result"]
    results = [block["tool_use_id"] for block in given]
    missing = [call for call in calls if call not in results]
    require(
        not missing, f"messages.{index}: `tool_use` ids were found without `tool_result` blocks: {', '.join(missing)}"
    )
    unknown = [result for result in results if result not in calls]
    require(not unknown, f"messages.{index}: unexpected `tool_use_id` in `tool_result`: {', '.join(unknown)}")
    require(len({*results}) == len(results), f"messages.{index}: each `tool_use` must have a single result")
    first = [block["type"] == "tool_result" for block in content[: len(results)]]
    require(all(first), f"messages.{index}: `tool_result` blocks must come first")
    echoed = all(block.get("toolset_name") == calls[block["tool_use_id"]] for block in given)
    require(echoed, f"messages.{index}: `toolset_name` of a `tool_result` must be that of its `tool_use`")
