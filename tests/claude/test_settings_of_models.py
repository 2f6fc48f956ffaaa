"""Settings are validated against the model's limits, and the error names what the model accepts."""

from __future__ import annotations

from typing import Any

import pytest

from conversations.claude import catalogue
from conversations.claude.parameters import check_parameters
from conversations.errors import InvalidRequest

LOOK = {"name": "look", "input_schema": {"type": "object"}}
MARK = {"type": "ephemeral"}
MARKED = {"type": "text", "text": "Be brief.", "cache_control": MARK}
ANY_TEMPERATURE = "claude-sonnet-4-6"
ONE_TEMPERATURE = next(model.id for model in catalogue.written_models() if model.sampling == "default_only")
NO_TEMPERATURE = next(model.id for model in catalogue.written_models() if model.sampling == "no")
THINKING = "claude-sonnet-4-5"  # which takes a budget
UNFORCED = next(model.id for model in catalogue.written_models() if not model.forced_tool_choice)


def check(**settings: Any) -> dict[str, object]:
    """Return the complaints about settings by field."""
    given: Any = {"model": ANY_TEMPERATURE, "max_tokens": 4096, **settings}
    try:
        check_parameters(given)
    except InvalidRequest as error:
        return {**(error.details or {})}
    return {}


def thinking(budget: object, **more: Any) -> dict[str, Any]:
    return {"model": THINKING, "thinking": {"type": "enabled", "budget_tokens": budget}, **more}


TAKEN: dict[str, dict[str, Any]] = {
    "as many tokens as it writes": {"max_tokens": catalogue.find(ANY_TEMPERATURE).max_output},  # type: ignore[union-attr]
    "any temperature": {"temperature": 0},
    "the default as the only temperature": {"model": ONE_TEMPERATURE, "temperature": 1},
    "no temperature": {"model": NO_TEMPERATURE, "temperature": None},
    "a stop sequence around white space": {"stop_sequences": [" end "]},
    "no stop sequences": {"stop_sequences": None},
    "a system prompt of a string": {"system": "Be brief."},
    "a system prompt of blocks": {"system": [MARKED, {"type": "text", "text": "x"}]},
    "the least budget": thinking(1024),
    "the largest budget": thinking(4095),
    "thinking that is shown": thinking(2000)
    | {"thinking": {"type": "enabled", "budget_tokens": 2000, "display": "summarized"}},
    "thinking that is not shown": {"model": ANY_TEMPERATURE, "thinking": {"type": "adaptive", "display": "omitted"}},
    "a tool with every field": {
        "tools": [
            {
                **LOOK,
                "description": "Looks.",
                "strict": True,
                "defer_loading": False,
                "eager_input_streaming": True,
                "input_examples": [{}],
                "allowed_callers": ["direct"],
                "cache_control": MARK,
            }
        ]
    },
    "anything for a model that is not known": {
        "model": "llama",
        "temperature": 0.3,
        "max_tokens": 10**7,
        "thinking": {"type": "deep", "display": "loud", "more": 1},
        "tools": [{**LOOK, "surprise": 1}],
    },
    "thinking that is disabled": {"thinking": {"type": "disabled"}},
    "four marks": {"tools": [{**LOOK, "cache_control": MARK}], "system": [MARKED] * 3},
    "a name of one letter": {"tools": [{**LOOK, "name": "f"}]},
    "a name of 128 letters": {"tools": [{**LOOK, "name": "f" * 128}]},
    "a tool whose type is said": {"tools": [{**LOOK, "type": "custom"}]},
    "a tool whose type is null": {"tools": [{**LOOK, "type": None}]},
    "effort without thinking for a model that is not known": {
        "model": "llama",
        "thinking": {"type": "disabled"},
        "effort": "max",
    },
    "any tool for a model that is not known": {"model": "llama", "tools": [LOOK], "tool_choice": {"type": "any"}},
    "a choice by a model that can't be forced": {"model": UNFORCED, "tools": [LOOK], "tool_choice": {"type": "auto"}},
    "one chosen tool at a time": {
        "tools": [LOOK],
        "tool_choice": {"type": "tool", "name": "look", "disable_parallel_tool_use": True},
    },
    "a choice of none": {"tools": [LOOK], "tool_choice": {"type": "none"}},
    "a forced choice": {"tools": [LOOK], "tool_choice": {"type": "any"}},
    "a choice of the second tool": {
        "tools": [LOOK, {**LOOK, "name": "g"}],
        "tool_choice": {"type": "tool", "name": "g"},
    },
    "a choice of one out of a toolset": {
        "tools": [{"type": "computer_toolset_20260801"}],
        "tool_choice": {"type": "tool", "name": "click"},
    },
    "a choice where the model thinks by itself": {
        "tools": [LOOK],
        "thinking": {"type": "adaptive"},
        "tool_choice": {"type": "tool", "name": "look"},
    },
}


@pytest.mark.parametrize("settings", TAKEN.values(), ids=TAKEN)
def test_it_is_taken(settings: dict[str, Any]) -> None:
    assert check(**settings) == {}


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "a token more than it writes": ({"max_tokens": 10_000_000}, "max_tokens", "writes at most"),
    "another temperature than the default": ({"model": ONE_TEMPERATURE, "temperature": 0.9}, "temperature", "does not"),
    "the default, where none is taken": (
        {"model": NO_TEMPERATURE, "temperature": 1},
        "temperature",
        "use effort instead",
    ),
    "a stop sequence of white space": ({"stop_sequences": ["end", "\n"]}, "stop_sequences", "more than white space"),
    "a system prompt of white space": ({"system": [{"type": "text", "text": " "}]}, "system", "list of text blocks"),
    "a system prompt with an image": ({"system": [MARKED, {"type": "image"}]}, "system", "list of text blocks"),
    "a system prompt of strings": ({"system": ["Be brief."]}, "system", "list of text blocks"),
    "a mark that is none": ({"system": [{**MARKED, "cache_control": {"ttl": "1h"}}]}, "system", "list of text blocks"),
    "a system prompt of notes": ({"system": [{"type": "note", "text": "x"}]}, "system", "list of text blocks"),
    "a system prompt with more": ({"system": [{**MARKED, "title": "x"}]}, "system", "list of text blocks"),
    "five marks on the system prompt": ({"system": [MARKED] * 5}, "system", "At most 4"),
    "thinking with more": (
        {"thinking": {"type": "adaptive", "budget_tokens": 2000, "a": 1}},
        "thinking",
        "adaptive takes no a.",
    ),
    "a display that is none": (
        {"thinking": {"type": "adaptive", "display": "loud"}},
        "thinking",
        "summarized or omitted",
    ),
    "five marks on tools": (
        {"tools": [{**LOOK, "name": f"f{at}", "cache_control": MARK} for at in range(5)]},
        "tools",
        "At most 4",
    ),
    "a budget one too small": (thinking(1023), "thinking", "at least 1024 and less than max_tokens"),
    "a budget as large as the answer": (thinking(4096), "thinking", "at least 1024 and less than max_tokens"),
    "any tool, with thinking enabled": (
        {**thinking(2000), "tools": [LOOK], "tool_choice": {"type": "any"}},
        "tool_choice",
        "With thinking enabled",
    ),
    "no budget": (thinking(None), "thinking", "at least 1024"),
    "a budget that is true": (thinking(True), "thinking", "at least 1024"),
    "a budget that is a fraction": (thinking(2000.0), "thinking", "at least 1024"),
    "thinking of no type": ({"model": "llama", "thinking": {}}, "thinking", "Must have a type"),
    "thinking of another type": ({"thinking": {"type": "deep"}}, "thinking", f"{ANY_TEMPERATURE} takes "),
    "a budget of no number for a model that is not known": (
        {**thinking("2000"), "model": "llama"},
        "thinking",
        "at least 1024",
    ),
    "an effort that nobody knows": ({"model": "llama", "effort": "huge"}, "effort", "llama takes low, medium"),
    "no name": ({"tools": [{"input_schema": {"type": "object"}}]}, "tools.0.name", "1 to 128 letters"),
    "an empty name": ({"tools": [{**LOOK, "name": ""}]}, "tools.0.name", "1 to 128 letters"),
    "a name of 129 letters": ({"tools": [{**LOOK, "name": "f" * 129}]}, "tools.0.name", "1 to 128 letters"),
    "a name with a space": ({"tools": [{**LOOK, "name": "look up"}]}, "tools.0.name", "1 to 128 letters"),
    "a name with a line break at its end": (
        {"tools": [{**LOOK, "name": "look\n"}]},
        "tools.0.name",
        "1 to 128 letters",
    ),
    "a name of other letters": ({"tools": [{**LOOK, "name": "größe"}]}, "tools.0.name", "1 to 128 letters"),
    "a name that is a list": ({"tools": [{**LOOK, "name": ["look"]}]}, "tools.0.name", "1 to 128 letters"),
    "a toolset with a name that is none": (
        {"tools": [{"type": "computer_toolset_20260801", "name": "my computer"}]},
        "tools.0.name",
        "1 to 128 letters",
    ),
    "a name twice": ({"tools": [LOOK, {**LOOK, "name": "g"}, LOOK]}, "tools.2.name", "Another tool has this name"),
    "a type that is a number": ({"tools": [{**LOOK, "type": 5}]}, "tools.0.type", "Must be a non-empty string"),
    "a type that is zero": ({"tools": [{**LOOK, "type": 0}]}, "tools.0.type", "Must be a non-empty string"),
    "an empty type": ({"tools": [{**LOOK, "type": ""}]}, "tools.0.type", "Must be a non-empty string"),
    "a tool that is none": ({"tools": [LOOK, "hear"]}, "tools.1", "Must be an object"),
    "a tool with more": ({"tools": [{**LOOK, "surprise": 1}]}, "tools.0.surprise", "Unknown field"),
    "a tool of Claude's with more": (
        {"tools": [{"type": "bash_20250124", "name": "bash", "max_uses": 5}]},
        "tools.0.max_uses",
        "Unknown field",
    ),
    "a mark on a tool that is none": ({"tools": [{**LOOK, "cache_control": 5}]}, "tools.0.cache_control", "ephemeral"),
    "no schema": ({"tools": [{"name": "look"}]}, "tools.0.input_schema", "JSON Schema of an object"),
    "a schema of a list": (
        {"tools": [{**LOOK, "input_schema": {"type": "array"}}]},
        "tools.0.input_schema",
        "JSON Schema of an object",
    ),
    "a schema with a type that there is not": (
        {"tools": [{**LOOK, "input_schema": {"type": "object", "properties": {"city": {"type": "str"}}}}]},
        "tools.0.input_schema",
        'properties.city.type: "str" is not valid',
    ),
    "a schema with a property that is none": (
        {"tools": [{**LOOK, "input_schema": {"type": "object", "properties": {"city": "string"}}}]},
        "tools.0.input_schema",
        "properties.city: ",
    ),
    "a schema of an older draft": (
        {"tools": [{**LOOK, "input_schema": {"type": "object", "properties": {"at": {"items": [{}, {}]}}}}]},
        "tools.0.input_schema",
        "draft 2020-12; properties.at.items: ",
    ),
    "a large schema that is none": (
        {"tools": [{**LOOK, "input_schema": {"type": "object", "required": ["city"] * 100_000}}]},
        "tools.0.input_schema",
        "Must be a JSON Schema of draft 2020-12.",
    ),
    "a choice without tools": ({"tool_choice": {"type": "auto"}}, "tool_choice", "no tools to choose from"),
    "a choice of no tools": ({"tools": [], "tool_choice": {"type": "auto"}}, "tool_choice", "no tools to choose from"),
    "a choice of another type": ({"tools": [LOOK], "tool_choice": {"type": "all"}}, "tool_choice", "one of auto, any"),
    "a choice with more": (
        {"tools": [LOOK], "tool_choice": {"type": "auto", "name": "look", "a": 1}},
        "tool_choice",
        "auto takes no a.",
    ),
    "a choice of one tool at a word": (
        {"tools": [LOOK], "tool_choice": {"type": "auto", "disable_parallel_tool_use": "yes"}},
        "tool_choice",
        "true or false",
    ),
    "a choice of a list": (
        {"tools": [LOOK], "tool_choice": {"type": ["any"]}},
        "tool_choice",
        "one of auto, any, tool",
    ),
    "none, one at a time": (
        {"tools": [LOOK], "tool_choice": {"type": "none", "disable_parallel_tool_use": True}},
        "tool_choice",
        "none takes no disable_parallel_tool_use",
    ),
    "a choice of another tool": (
        {"tools": [LOOK], "tool_choice": {"type": "tool", "name": "hear"}},
        "tool_choice",
        "that of one of the tools",
    ),
    "a choice that can't be forced": (
        {"model": UNFORCED, "tools": [LOOK], "tool_choice": {"type": "tool", "name": "look"}},
        "tool_choice",
        "can't be forced",
    ),
}


@pytest.mark.parametrize(("settings", "field", "complaint"), REFUSED.values(), ids=REFUSED)
def test_it_is_refused(settings: dict[str, Any], field: str, complaint: str) -> None:
    found = check(**settings)
    assert list(found) == [field]
    assert complaint in str(found[field])


@pytest.mark.parametrize("model", catalogue.written_models(), ids=lambda model: model.id)
def test_each_model_takes_what_the_catalogue_says_of_it(model: catalogue.Model) -> None:
    """Its limits, its efforts and its kinds of thinking are accepted, and nothing beyond them."""
    if model.lifecycle == "retired":
        assert "model" in check(model=model.id)
        return
    assert check(model=model.id, max_tokens=model.max_output) == {}
    assert "max_tokens" in check(model=model.id, max_tokens=model.max_output + 1)
    for effort in catalogue.EFFORTS:
        assert ("effort" in check(model=model.id, effort=effort)) == (effort not in model.efforts)
    for kind in catalogue.THINKING_TYPES:
        asked = {"type": kind, **({"budget_tokens": 1024} if kind == "enabled" else {})}
        assert ("thinking" in check(model=model.id, thinking=asked)) == (kind not in model.thinking_types)
    lower = model.efforts if model.efforts_unthinking is None else model.efforts_unthinking
    for kind in {"disabled", "between_tools"} & {*model.thinking_types}:
        for effort in model.efforts:
            complaints = check(model=model.id, thinking={"type": kind}, effort=effort)
            assert ("effort" in complaints) == (effort not in lower)


def test_an_alias_is_held_to_the_same_limits() -> None:
    model = next(each for each in catalogue.written_models() if each.aliases and each.lifecycle != "retired")
    assert check(model=model.aliases[0], max_tokens=model.max_output) == {}
    assert "max_tokens" in check(model=model.aliases[0], max_tokens=model.max_output + 1)


def test_all_complaints_are_told_and_the_first_is_the_message() -> None:
    given: Any = {"model": NO_TEMPERATURE, "max_tokens": 10**7, "temperature": 1, "stop_sequences": [""]}
    with pytest.raises(InvalidRequest) as refused:
        check_parameters(given)
    assert list(refused.value.details or {}) == ["max_tokens", "temperature", "stop_sequences"]
    assert refused.value.message.startswith("max_tokens: ")
