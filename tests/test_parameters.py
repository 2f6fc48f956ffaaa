"""A parameter that a model does not support is refused before any request, with what the model supports."""

from __future__ import annotations

from typing import Any

import pytest

from tests.clients import Api

LOOK = {"name": "look", "input_schema": {"type": "object"}}
MARK = {"type": "ephemeral"}
TEXT = {"type": "text", "text": "Be brief."}

REFUSED: dict[str, tuple[str, dict[str, Any]]] = {
    "a display that is not there": ("thinking", {"thinking": {"type": "adaptive", "display": "loud"}}),
    "a budget with adaptive thinking": ("thinking", {"thinking": {"type": "adaptive", "budget_tokens": 2000}}),
    "more than between tools": (
        "thinking",
        {"model": "claude-sonnet-5-5", "thinking": {"type": "between_tools", "display": "omitted"}},
    ),
    "a type that is no string": ("thinking", {"thinking": {"type": ["adaptive"]}}),
    "much effort between tools": (
        "effort",
        {"model": "claude-sonnet-5-5", "thinking": {"type": "between_tools"}, "effort": "max"},
    ),
    "much effort without thinking": (
        "effort",
        {"model": "claude-opus-5", "thinking": {"type": "disabled"}, "effort": "xhigh"},
    ),
    "a choice of no type": ("tool_choice", {"tools": [LOOK], "tool_choice": {}}),
    "a choice of an unknown type": ("tool_choice", {"tools": [LOOK], "tool_choice": {"type": "all"}}),
    "a choice of a tool that is not there": ("tool_choice", {"tools": [LOOK], "tool_choice": {"type": "tool"}}),
    "a choice with more": ("tool_choice", {"tools": [LOOK], "tool_choice": {"type": "auto", "name": "look"}}),
    "a choice that is not true or false": (
        "tool_choice",
        {"tools": [LOOK], "tool_choice": {"type": "any", "disable_parallel_tool_use": "yes"}},
    ),
    "a forced tool for a model that can't be": (
        "tool_choice",
        {"model": "claude-opus-5-5", "tools": [LOOK], "tool_choice": {"type": "any"}},
    ),
    "a forced tool with thinking enabled": (
        "tool_choice",
        {
            "max_tokens": 4000,
            "thinking": {"type": "enabled", "budget_tokens": 2000},
            "tools": [LOOK],
            "tool_choice": {"type": "tool", "name": "look"},
        },
    ),
    "a tool that is no object": ("tools.0", {"tools": ["look"]}),
    "a tool with more": ("tools.0.surprise", {"tools": [{**LOOK, "surprise": 1}]}),
    "a description that is a number": ("tools.0.description", {"tools": [{**LOOK, "description": 5}]}),
    "a tool of Claude's without a name": ("tools.0.name", {"tools": [{"type": "web_search_20260318"}]}),
    "uses that are a word": (
        "tools.0.max_uses",
        {"tools": [{"type": "web_search_20260318", "name": "web_search", "max_uses": "many"}]},
    ),
    "a mark on a tool that is none": ("tools.0.cache_control", {"tools": [{**LOOK, "cache_control": {"ttl": "2h"}}]}),
    "a mark on the system prompt that is none": ("system", {"system": [{**TEXT, "cache_control": "yes"}]}),
    "a system prompt with more": ("system", {"system": [{**TEXT, "surprise": 1}]}),
    "a system prompt of a number": ("system", {"system": [{"type": "text", "text": 5}]}),
    "five marks": (
        "system",
        {"tools": [{**LOOK, "cache_control": MARK}], "system": [{**TEXT, "cache_control": MARK}] * 4},
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused_for_a_conversation_and_for_a_turn(api: Api, case: str) -> None:
    field, settings = REFUSED[case]
    turn = {"content": "Hello", **settings}
    for path, body in (("conversations/", settings), (f"conversations/{api.conversation()}/turns/", turn)):
        response = api.post(path, body)
        assert response.status_code == 400, response.text
        assert field in response.json()["error"]["details"]


TAKEN: dict[str, dict[str, Any]] = {
    "omitted thinking": {"model": "claude-opus-5-5", "thinking": {"type": "adaptive", "display": "omitted"}},
    "thinking between tools": {"model": "claude-sonnet-5-5", "thinking": {"type": "between_tools"}, "effort": "high"},
    "much effort without thinking": {
        "model": "claude-opus-4-8",
        "thinking": {"type": "disabled"},
        "effort": "max",
    },
    "one tool at a time": {"tools": [LOOK], "tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
    "a chosen tool": {"tools": [LOOK], "tool_choice": {"type": "tool", "name": "look"}},
    "a toolset": {"tools": [{"type": "computer_toolset_20260801"}, LOOK]},
    "marks": {"tools": [{**LOOK, "cache_control": MARK}], "system": [{**TEXT, "cache_control": MARK}]},
}


@pytest.mark.parametrize("case", TAKEN)
def test_what_is_taken_gets_an_answer(api: Api, case: str) -> None:
    assert api.ask("Hello", api.conversation(), **TAKEN[case])["status"] == "completed"


def test_a_model_that_is_not_known_may_be_given_anything(api: Api) -> None:
    settings = {"model": "llama", "thinking": {"type": "deep", "more": 1}, "tools": [{**LOOK, "surprise": 1}]}
    assert api.post("conversations/", settings).status_code == 201
