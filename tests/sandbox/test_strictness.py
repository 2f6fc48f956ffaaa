"""The sandbox refuses what Claude's API refuses, and accepts what it accepts."""

from __future__ import annotations

from typing import Any

import anthropic
import pytest

from conversations.sandbox.refused import Refused
from conversations.sandbox.request_rules import validate
from conversations.sandbox.server import Sandbox

HELLO = {"role": "user", "content": "Hello"}
TOOL = {"name": "look", "input_schema": {"type": "object"}}
CALL: dict[str, Any] = {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "look", "input": {}}]}
RESULT = {"type": "tool_result", "tool_use_id": "a", "content": "x"}
SEARCH = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}
TEXT = {"type": "text", "text": "x"}
DOCUMENT = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "x"}}


def body(**fields: Any) -> dict[str, Any]:
    merged = {"model": "claude-sonnet-4-6", "max_tokens": 100, "messages": [HELLO], **fields}
    return {name: value for name, value in merged.items() if value is not ...}


REFUSED: dict[str, dict[str, Any]] = {
    "no max_tokens": {"max_tokens": ...},
    "no messages": {"messages": []},
    "temperature": {"temperature": 1},
    "unknown field": {"surprise": 1},
    "too many tokens": {"max_tokens": 200_000},
    "assistant first": {"messages": [{"role": "assistant", "content": "x"}, HELLO]},
    "prefill": {"messages": [HELLO, {"role": "assistant", "content": "x"}]},
    "system inside": {"messages": [{"role": "system", "content": "x"}, HELLO]},
    "empty text": {"messages": [{"role": "user", "content": [{"type": "text", "text": " "}]}]},
    "unknown block": {"messages": [{"role": "user", "content": [{"type": "hologram"}]}]},
    "dangling call": {"tools": [TOOL], "messages": [HELLO, CALL, HELLO]},
    "result of nothing": {"messages": [{"role": "user", "content": [RESULT]}]},
    "text before results": {
        "messages": [HELLO, CALL, {"role": "user", "content": [{"type": "text", "text": "x"}, RESULT]}]
    },
    "two results": {"messages": [HELLO, CALL, {"role": "user", "content": [RESULT, RESULT]}]},
    "adaptive on 4.5": {"model": "claude-haiku-4-5", "thinking": {"type": "adaptive"}},
    "thinking budget": {"thinking": {"type": "enabled", "budget_tokens": 10}},
    "forced tool": {"model": "claude-opus-5-5", "tools": [TOOL], "tool_choice": {"type": "any"}},
    "open schema": {"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}},
    "a tool's schema of a type that there is not": {
        "tools": [{**TOOL, "input_schema": {"type": "object", "properties": {"city": {"type": "str"}}}}]
    },
    "five marks": {"system": [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}] * 5},
    "a result that does not say its toolset": {
        "messages": [
            HELLO,
            {"role": "assistant", "content": [{**CALL["content"][0], "toolset_name": "computer_toolset"}]},
            {"role": "user", "content": [RESULT]},
        ]
    },
    "a server tool's call without a result": {
        "messages": [
            HELLO,
            {"role": "assistant", "content": [SEARCH, *CALL["content"]]},
            {"role": "user", "content": [RESULT, TEXT]},
        ]
    },
    "a server tool's result without a call": {
        "messages": [
            HELLO,
            {
                "role": "assistant",
                "content": [{"type": "web_search_tool_result", "tool_use_id": "s", "content": []}, TEXT],
            },
            HELLO,
        ]
    },
    "some documents cited": {
        "messages": [{"role": "user", "content": [DOCUMENT, {**DOCUMENT, "citations": {"enabled": True}}]}]
    },
    "a longer mark after a shorter": {
        "system": [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}],
        "messages": [
            {
                "role": "user",
                "content": [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
            }
        ],
    },
    "more than between tools": {
        "model": "claude-sonnet-5-5",
        "thinking": {"type": "between_tools", "display": "omitted"},
    },
    "much effort without thinking": {
        "model": "claude-haiku-5-5",
        "thinking": {"type": "disabled"},
        "output_config": {"effort": "max"},
    },
    "a display that is not there": {"thinking": {"type": "adaptive", "display": "loud"}},
    "a choice with more": {"tools": [TOOL], "tool_choice": {"type": "auto", "name": "look"}},
    "a tool with more": {"tools": [{**TOOL, "surprise": 1}]},
    "a toolset with a name": {"tools": [{"type": "computer_toolset_20260801", "name": "computer"}]},
    "not an image": {
        "messages": [
            {
                "role": "user",
                "content": [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}],
            }
        ]
    },
}


@pytest.mark.parametrize("case", REFUSED)
def test_it_refuses(case: str) -> None:
    with pytest.raises(Refused) as refused:
        validate(body(**REFUSED[case]), version="2026-10-21")
    assert refused.value.type == "invalid_request_error"


ACCEPTED: dict[str, dict[str, Any]] = {
    "plain": {},
    "answered call": {"tools": [TOOL], "messages": [HELLO, CALL, {"role": "user", "content": [RESULT]}]},
    "prefill on 4.5": {"model": "claude-haiku-4-5", "messages": [HELLO, {"role": "assistant", "content": "x"}]},
    "a server tool's call that goes on": {
        "messages": [
            HELLO,
            {"role": "assistant", "content": [SEARCH, *CALL["content"]]},
            {"role": "user", "content": [RESULT]},
        ]
    },
    "a call over MCP that goes on": {
        "messages": [
            HELLO,
            {
                "role": "assistant",
                "content": [{"type": "mcp_tool_use", "id": "m", "name": "look", "server_name": "tea", "input": {}}],
            },
        ]
    },
    "a call over MCP with its result": {
        "messages": [
            HELLO,
            {
                "role": "assistant",
                "content": [
                    {"type": "mcp_tool_use", "id": "m", "name": "look", "server_name": "tea", "input": {}},
                    {"type": "mcp_tool_result", "tool_use_id": "m", "is_error": False, "content": []},
                    TEXT,
                ],
            },
            HELLO,
        ]
    },
    "a toolset": {"tools": [{"type": "computer_toolset_20260801"}, TOOL]},
    "its own invention": {"messages": [HELLO, {"role": "assistant", "content": [{"type": "sandbox_x"}]}, HELLO]},
    "system inside on 5.5": {
        "model": "claude-opus-5-5",
        "messages": [HELLO, {"role": "system", "content": "x"}, HELLO],
    },
}


@pytest.mark.parametrize("case", ACCEPTED)
def test_it_accepts(case: str) -> None:
    validate(body(**ACCEPTED[case]), version="2026-10-21")


def test_sampling_goes_with_the_older_version() -> None:
    validate(body(temperature=0.5), version="2023-06-01")
    with pytest.raises(Refused):
        validate(body(temperature=0.5, model="claude-opus-5-5"), version="2023-06-01")


def test_the_sdk_gets_along_with_it(sandbox: Sandbox) -> None:
    with anthropic.Anthropic(api_key="x", base_url=sandbox.url, max_retries=0) as claude:
        assert claude.messages.count_tokens(model="claude-sonnet-4-6", messages=[HELLO]).input_tokens > 0  # type: ignore[list-item]
        assert any(model.id == "claude-sonnet-4-6" for model in claude.models.list())
        message = claude.messages.create(**body())
        assert message.content[0].type == "text"
        with pytest.raises(anthropic.NotFoundError) as missing:
            claude.messages.create(**body(model="claude-1"))
        assert missing.value.type == "not_found_error"
        assert missing.value.request_id
    claude = anthropic.Anthropic(api_key="invalid", base_url=sandbox.url)
    with claude, pytest.raises(anthropic.AuthenticationError):
        claude.messages.create(**body())


def test_a_marked_prefix_is_written_and_then_read(sandbox: Sandbox) -> None:
    system = [{"type": "text", "text": "word " * 3000, "cache_control": {"type": "ephemeral", "ttl": "1h"}}]
    with anthropic.Anthropic(api_key="x", base_url=sandbox.url) as claude:
        first = claude.messages.create(**body(system=system)).usage
        second = claude.messages.create(**body(system=system)).usage
    assert first.cache_creation
    assert first.cache_creation.ephemeral_1h_input_tokens == first.cache_creation_input_tokens > 1024
    assert second.cache_read_input_tokens == first.cache_creation_input_tokens
    assert second.cache_creation_input_tokens == 0


@pytest.mark.parametrize("directive", ["bogus", "words=many", "text=unquoted; cut_after=x", 'text="open'])
def test_a_typo_in_a_directive_is_seen(sandbox: Sandbox, directive: str) -> None:
    message = {"role": "user", "content": f"[[sandbox: {directive}]]"}
    claude = anthropic.Anthropic(api_key="x", base_url=sandbox.url, max_retries=0)
    with claude, pytest.raises(anthropic.BadRequestError):
        claude.messages.create(**body(messages=[message], stream=True))
