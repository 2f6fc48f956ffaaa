"""Numbers have the same ranges here and in the sandbox, and the possible cost of Claude's tools is held."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from conversations.claude import tool_fields
from conversations.claude.catalogue import find
from conversations.sandbox.server import Sandbox
from conversations.services.turns import cost_bounds
from tests import clients
from tests.clients import Api

SEARCH = {"type": "web_search_20260318", "name": "web_search"}
FETCH = {"type": "web_fetch_20260318", "name": "web_fetch"}
EDITOR = {"type": "text_editor_20250728", "name": "str_replace_based_edit_tool"}
CUSTOM = {"name": "look", "input_schema": {"type": "object"}}
HUGE = 10**15

NO_COUNTS: list[Any] = [-96, 0, True, 1.5, "3", HUGE, [], {}]
NO_DOMAINS: list[Any] = ["a.com", [1], [""], {}, ["x" * 2000]]

BAD: list[tuple[str, Any]] = [
    *(("max_uses", {**SEARCH, "max_uses": value}) for value in NO_COUNTS),
    *(("max_content_tokens", {**FETCH, "max_content_tokens": value}) for value in (-1, 0, False, 0.5, "1", HUGE)),
    *(("max_characters", {**EDITOR, "max_characters": value}) for value in (-1, 0, "x")),
    *(("allowed_domains", {**SEARCH, "allowed_domains": value}) for value in NO_DOMAINS),
    ("blocked_domains", {**FETCH, "allowed_domains": ["a.com"], "blocked_domains": ["b.com"]}),
    *(
        ("user_location", {**SEARCH, "user_location": value})
        for value in (
            "Berlin",
            {},
            {"type": "exact"},
            {"type": "approximate", "country": "Germany"},
            {"type": "approximate", "city": 5},
            {"type": "approximate", "city": ""},
            {"type": "approximate", "timezone": "a b"},
            {"type": "approximate", "street": "x"},
        )
    ),
    ("citations", {**FETCH, "citations": {"enabled": 1}}),
    ("citations", {**FETCH, "citations": True}),
    ("response_inclusion", {**SEARCH, "response_inclusion": "some"}),
    ("use_cache", {**FETCH, "use_cache": "no"}),
    ("allowed_callers", {**SEARCH, "allowed_callers": "direct"}),
    ("strict", {**CUSTOM, "strict": 1}),
    ("defer_loading", {**CUSTOM, "defer_loading": None}),
    ("input_examples", {**CUSTOM, "input_examples": ["x"]}),
    ("description", {**CUSTOM, "description": 5}),
    ("max_content_tokens", {**SEARCH, "max_content_tokens": 5}),
    ("user_location", {**FETCH, "user_location": {"type": "approximate"}}),
    ("colour", {**SEARCH, "colour": "red"}),
]
GOOD: list[Any] = [
    {**SEARCH, "max_uses": 1, "allowed_domains": ["example.com"], "blocked_domains": None},
    {**SEARCH, "max_uses": None, "user_location": {"type": "approximate", "city": "Köln", "country": "DE"}},
    {**SEARCH, "user_location": {"type": "approximate", "region": None, "timezone": "Europe/Berlin"}},
    {**FETCH, "max_content_tokens": 5000, "citations": {"enabled": True}, "use_cache": False},
    {**EDITOR, "max_characters": 10_000},
    {**CUSTOM, "strict": True, "input_examples": [{}], "description": "Looks."},
]


@pytest.mark.parametrize(("field", "tool"), BAD, ids=[f"{field} {at}" for at, (field, _) in enumerate(BAD)])
def test_a_field_out_of_its_range_is_named_here_and_refused_by_the_sandbox(
    api: Api, sandbox: Sandbox, field: str, tool: Any
) -> None:
    response = api.post("conversations/", {"tools": [tool]})
    assert response.status_code == 400, response.text
    assert list(response.json()["error"]["details"]) == [f"tools.0.{field}"]
    assert asked(sandbox, tools=[tool]).status_code == 400


@pytest.mark.parametrize("tool", GOOD)
def test_what_claude_takes_is_taken_by_both(api: Api, sandbox: Sandbox, tool: Any) -> None:
    assert api.post("conversations/", {"tools": [tool]}).status_code == 201
    assert asked(sandbox, tools=[tool]).status_code == 200


def asked(sandbox: Sandbox, **fields: Any) -> httpx2.Response:
    body = {
        "model": "claude-sonnet-4-6",
        "max_tokens": 64,
        "messages": [{"role": "user", "content": "Hello"}],
        **fields,
    }
    headers = {"anthropic-version": "2026-10-21", "x-api-key": "test"}
    return clients.post(f"{sandbox.url}/v1/messages", json=body, headers=headers)


@pytest.mark.parametrize(
    "settings",
    [
        {"thinking": {"type": "enabled", "budget_tokens": value}, "max_tokens": 4000}
        for value in (-1, 0, 1023, 4000, True, 1024.5, "2000", HUGE)
    ]
    + [{"max_tokens": value} for value in (-1, True, 1.5, HUGE)]
    + [{"temperature": value} for value in (-0.1, 1.1, True, "1", HUGE)],
)
def test_a_setting_out_of_its_range_is_refused(api: Api, sandbox: Sandbox, settings: Any) -> None:
    model = "claude-sonnet-4-5" if "thinking" in settings else "claude-sonnet-4-6"
    assert find(model)
    assert api.post("conversations/", {"model": model, **settings}).status_code == 400
    assert asked(sandbox, model=model, **settings).status_code == 400


def test_results_of_claudes_tools_are_in_the_bound(database: str) -> None:
    def bound(*tools: Any) -> cost_bounds.Bound:
        request: Any = {
            "model": "claude-sonnet-4-6",
            "messages": [{"role": "user", "content": "Hello"}],
            "tools": tools,
        }
        return cost_bounds.bound_of_request(request)

    plain = bound()
    one = bound({**SEARCH, "max_uses": 1})
    assert one.searches == 1
    assert one.input_tokens >= plain.input_tokens + cost_bounds.RESULTS["web_search_"]
    assert one.cost(100) > plain.cost(100)
    assert bound(SEARCH).searches == cost_bounds.USES
    assert bound({**FETCH, "max_uses": 2, "max_content_tokens": 700}).input_tokens >= plain.input_tokens + 1400
    model = find("claude-sonnet-4-6")
    assert model
    assert bound({**FETCH, "max_uses": 10_000}).input_tokens <= model.context_window


@pytest.mark.parametrize("value", [-96, 0])
def test_no_stored_number_lowers_a_bound(database: str, value: int) -> None:
    tools = [{**SEARCH, "max_uses": value}]
    request: Any = {"model": "claude-sonnet-4-6", "messages": [], "tools": tools}
    assert cost_bounds.bound_of_request(request).searches >= 1


def test_every_field_that_is_named_is_checked() -> None:
    named = set().union(*tool_fields.FAMILIES.values()) - {"type", "name", "cache_control"}
    assert named <= tool_fields.CHECKS.keys()
