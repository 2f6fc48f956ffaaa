"""The fields of Claude's own tools are validated against the API's limits (claude-api.md 8, 13.4)."""

from __future__ import annotations

from typing import Any

import pytest

from conversations.claude import tool_fields
from conversations.claude.tool_fields import complaints, unknown

MOST = tool_fields.COUNT_LIMIT - 1
DOMAINS = ["example.com"] * tool_fields.DOMAINS_LIMIT


def at(**place: Any) -> dict[str, Any]:
    return {"type": "approximate", **place}


VALUES: dict[str, tuple[list[Any], list[Any]]] = {
    "max_uses": ([1, MOST, None], [0, -1, MOST + 1, 1.0, "1", True]),
    "max_content_tokens": ([1, MOST, None], [0, True]),
    "max_characters": ([1, MOST, None], [0, "1"]),
    "max_tokens": ([1024, MOST], [1023, None, True]),
    "strict": ([True, False], [None, 1, "true"]),
    "defer_loading": ([True, False], [None, 0]),
    "eager_input_streaming": ([True, False], [None, 0]),
    "use_cache": ([True, False], [None, 0]),
    "allowed_domains": (
        [[], ["example.com"], ["x" * 1000], DOMAINS, None],
        ["example.com", [5], [""], [" "], ["x" * 1001], [*DOMAINS, "a.com"]],
    ),
    "blocked_domains": ([["example.com"], None], [{}, [None]]),
    "allowed_callers": ([["direct"]], [None, "direct"]),
    "user_location": (
        [
            None,
            at(),
            at(city="Köln", region="NRW", country="de", timezone="Europe/Berlin"),
            at(city="x" * 255, region=None),
            at(city="a\nb", timezone="Etc/GMT+1"),
        ],
        [
            {},
            {"city": "Köln"},
            {"type": "exact"},
            at(street="x"),
            at(city=""),
            at(city="x" * 256),
            at(city=5),
            at(country="DEU"),
            at(country="D"),
            at(country="DE\n"),
            at(country="ÄÖ"),
            at(timezone="Europe Berlin"),
            "Köln",
        ],
    ),
    "citations": ([None, {}, {"enabled": True}], [True, {"enabled": 1}, {"enabled": None}, {"enabled": True, "a": 1}]),
    "response_inclusion": (["full", "excluded"], [None, "some", 5]),
    "url_sources": ([None, {}, {"a": 1}], [[], "x"]),
    "input_examples": ([[], [{}], [{"a": 1}, {}]], [None, {}, [1], [{}, "x"]]),
    "description": (["", "Looks."], [None, 5, ["x"]]),
}


@pytest.mark.parametrize("field", VALUES)
def test_a_value_is_taken_up_to_its_limits(field: str) -> None:
    good, bad = VALUES[field]
    for value in good:
        assert list(complaints({field: value})) == []
    for value in bad:
        [(named, must)] = complaints({field: value})
        assert (named, must[:5]) == (field, "Must ")


def test_every_field_that_is_checked_is_tried_here() -> None:
    assert VALUES.keys() == tool_fields.CHECKS.keys()


@pytest.mark.parametrize(
    ("allowed", "blocked", "fine"),
    [(["a.com"], ["b.com"], False), (["a.com"], [], True), ([], ["b.com"], True), (["a.com"], None, True)],
)
def test_domains_are_allowed_or_blocked(allowed: Any, blocked: Any, fine: bool) -> None:
    found = dict(complaints({"allowed_domains": allowed, "blocked_domains": blocked}))
    assert (not found) is fine
    assert fine or list(found) == ["blocked_domains"]


def test_each_wrong_field_is_told() -> None:
    assert [field for field, _ in complaints({"max_uses": 0, "strict": 1, "name": 5, "odd": object()})] == [
        "max_uses",
        "strict",
    ]


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("web_search_20990101", "user_location"),
        ("web_fetch_20990101", "max_content_tokens"),
        ("bash_20990101", "input_examples"),
        ("text_editor_20990101", "max_characters"),
        ("memory_20990101", "input_examples"),
    ],
)
def test_a_tool_of_claudes_has_its_own_fields_whatever_its_version(kind: str, field: str) -> None:
    assert unknown({"type": kind, "name": "x", field: 1}) == []
    assert unknown({"type": kind, field: 1, "surprise": 1, "a": 2}) == ["a", "surprise"]


COMMON = {"type", "name", "cache_control", "allowed_callers", "strict", "defer_loading"}
SEARCHED = {"allowed_domains", "blocked_domains", "max_uses", "response_inclusion"}
ALL = {
    "web_search_20260318": COMMON | SEARCHED | {"user_location"},
    "web_fetch_20260318": COMMON | SEARCHED | {"citations", "max_content_tokens", "use_cache", "url_sources"},
    "code_execution_20260120": COMMON,
    "tool_search_tool_bm25_20251119": COMMON,
    "bash_20250124": COMMON | {"input_examples"},
    "text_editor_20250728": COMMON | {"input_examples", "max_characters"},
    "memory_20250818": COMMON | {"input_examples"},
}


@pytest.mark.parametrize("kind", ALL)
def test_a_tool_of_claudes_has_these_fields_and_no_others(kind: str) -> None:
    every = {field for fields in ALL.values() for field in fields}
    tool: dict[str, Any] = {**dict.fromkeys(every, "x"), "type": kind}
    assert unknown(tool) == sorted(every - ALL[kind])


@pytest.mark.parametrize("kind", ["tool_of_tomorrow", "custom", "", None])
def test_of_a_tool_that_is_not_known_no_field_is_unknown(kind: Any) -> None:
    assert unknown({"type": kind, "surprise": 1}) == []
