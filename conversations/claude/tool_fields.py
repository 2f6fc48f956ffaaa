"""Validating the fields of tools (claude-api.md 8, 13.4). Pure.

The platform validates them before it sends any request.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

Check = Callable[[object], bool]

COUNT_LIMIT = 2**31
DOMAINS_LIMIT = 1000
STRING_LIMIT = 1000  # characters
ADVISOR_TOKENS = 1024
COMMON = frozenset({"type", "name", "cache_control", "allowed_callers", "strict", "defer_loading"})
DOMAINS = frozenset({"allowed_domains", "blocked_domains"})
EXAMPLES = frozenset({"input_examples"})
FAMILIES: dict[str, frozenset[str]] = {
    "web_search_": COMMON | DOMAINS | {"max_uses", "user_location", "response_inclusion"},
    "web_fetch_": COMMON
    | DOMAINS
    | {"max_uses", "citations", "max_content_tokens", "use_cache", "response_inclusion", "url_sources"},
    "code_execution_": COMMON,
    "tool_search_tool_": COMMON,
    "bash_": COMMON | EXAMPLES,
    "text_editor_": COMMON | EXAMPLES | {"max_characters"},
    "memory_": COMMON | EXAMPLES,
}
"""The fields of Claude's own tools, by the beginnings of their types; versions follow."""
NULLABLE = DOMAINS | {"max_uses", "max_content_tokens", "max_characters", "user_location", "citations", "url_sources"}
LOCATION = {
    "type": re.compile("approximate"),
    "city": re.compile(r"(?s).{1,255}"),
    "region": re.compile(r"(?s).{1,255}"),
    "country": re.compile("[A-Za-z]{2}"),
    "timezone": re.compile(r"[A-Za-z0-9_+/-]{1,255}"),
}


def complaints(tool: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Yield each invalid field of a tool, with what it must be."""
    for name, value in tool.items():
        check, must = CHECKS.get(name, (None, ""))
        if check and not (value is None and name in NULLABLE) and not check(value):
            yield name, must
    if tool.get("allowed_domains") and tool.get("blocked_domains"):
        yield "blocked_domains", "Must not be given together with allowed_domains."


def unknown(tool: Mapping[str, object]) -> list[str]:
    """Return the fields that one of Claude's own tools does not have; none for an unknown tool."""
    kind = str(tool.get("type"))
    fields = next((fields for family, fields in FAMILIES.items() if kind.startswith(family)), None)
    return [] if fields is None else sorted(tool.keys() - fields)


def _is_count(least: int) -> Check:
    return lambda value: type(value) is int and least <= value < COUNT_LIMIT


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _are_strings(value: object) -> bool:
    if not isinstance(value, list) or len(value) > DOMAINS_LIMIT:
        return False
    return all(isinstance(each, str) and 0 < len(each.strip()) <= STRING_LIMIT for each in value)


def _is_location(value: object) -> bool:
    if not isinstance(value, dict) or value.get("type") != "approximate" or not value.keys() <= LOCATION.keys():
        return False
    given = {name: each for name, each in value.items() if each is not None}
    return all(isinstance(each, str) and LOCATION[name].fullmatch(each) for name, each in given.items())


def _are_citations(value: object) -> bool:
    return isinstance(value, dict) and value.keys() <= {"enabled"} and isinstance(value.get("enabled", False), bool)


def _are_objects(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, dict) for each in value)


AT_LEAST_ONE = (_is_count(1), "Must be an integer of at least 1.")
FLAG = (_is_flag, "Must be true or false.")
STRINGS = (_are_strings, "Must be a list of strings.")
CHECKS: dict[str, tuple[Check, str]] = {
    "max_uses": AT_LEAST_ONE,
    "max_content_tokens": AT_LEAST_ONE,
    "max_characters": AT_LEAST_ONE,
    "max_tokens": (_is_count(ADVISOR_TOKENS), f"Must be an integer of at least {ADVISOR_TOKENS}."),
    "strict": FLAG,
    "defer_loading": FLAG,
    "eager_input_streaming": FLAG,
    "use_cache": FLAG,
    "allowed_domains": STRINGS,
    "blocked_domains": STRINGS,
    "allowed_callers": STRINGS,
    "user_location": (
        _is_location,
        'Must be {"type": "approximate"} with city, region, country (two letters) or timezone.',
    ),
    "citations": (_are_citations, 'Must be {"enabled": true or false}.'),
    "response_inclusion": (lambda value: value in ("full", "excluded"), "Must be full or excluded."),
    "url_sources": (lambda value: isinstance(value, dict), "Must be an object."),
    "input_examples": (_are_objects, "Must be a list of objects."),
    "description": (lambda value: isinstance(value, str), "Must be a string."),
}
