"""A function is described to Claude by its signature and docstring, and is called with validated arguments."""

from __future__ import annotations

import asyncio
import uuid
from typing import Annotated, Any, Literal

import pytest
from django.apps import apps
from pydantic import BaseModel, Field

from conversations import tools
from conversations.errors import ColloquyError, InvalidRequest
from conversations.tools import Caller, Result, registered_tool, tool, tools_for_claude, with_definitions

CALLER = Caller(uuid.UUID(int=1), uuid.UUID(int=2), uuid.UUID(int=3))
USED: Any = {"type": "ephemeral"}


class Place(BaseModel):
    """Where something is."""

    city: str
    country: str = "DE"


async def weather(
    caller: Caller,
    place: Place,
    days: Annotated[int, Field(ge=1, le=7, description="How many.")] = 1,
    unit: Literal["C", "F"] = "C",
    anything: object = None,
) -> str:
    """Return the weather.

    In a place.
    """
    return f"{caller.turn} {place.city} {place.country} {days} {unit} {anything}"


def undescribed() -> None:
    pass


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Register these tools, and no others, for a test."""
    config: Any = apps.get_app_config("conversations")
    monkeypatch.setattr(config, "tools", {})
    tool(weather)
    tool(seconds=0.5)(undescribed)


def found(name: str) -> tools.Tool:
    known = registered_tool(name)
    assert known is not None
    return known


def test_the_signature_is_the_schema_and_the_docstring_the_description() -> None:
    """The caller is not an argument that Claude can choose."""
    definition = found("weather").definition()
    assert (definition["name"], definition["description"]) == ("weather", "Return the weather.\n\nIn a place.")
    schema: Any = definition["input_schema"]
    assert schema["type"] == "object"
    assert schema["required"] == ["place"]
    assert schema["additionalProperties"] is False
    assert list(schema["properties"]) == ["place", "days", "unit", "anything"]
    assert schema["properties"]["days"] == {
        "default": 1,
        "description": "How many.",
        "maximum": 7,
        "minimum": 1,
        "title": "Days",
        "type": "integer",
    }
    assert schema["properties"]["unit"]["enum"] == ["C", "F"]
    assert "title" not in schema


def test_a_function_without_a_docstring_has_an_empty_description() -> None:
    definition = found("undescribed").definition()
    assert definition["description"] == ""
    assert definition["input_schema"] == {"additionalProperties": False, "properties": {}, "type": "object"}


def test_a_function_stays_what_it_is() -> None:
    assert found("weather").function is weather
    assert (found("weather").seconds, found("undescribed").seconds) == (None, 0.5)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"place": {"city": "Köln"}}, "Köln DE 1 C None"),
        ({"place": {"city": "Köln", "country": "FR"}, "days": 7, "unit": "F", "anything": [1]}, "Köln FR 7 F [1]"),
    ],
    ids=["with defaults", "with everything"],
)
async def test_a_call_gets_its_arguments_and_its_caller(given: Any, said: str) -> None:
    assert await found("weather").run(given, CALLER) == Result(f"{CALLER.turn} {said}")


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({}, "place: Field required"),
        ({"place": {"city": "x"}, "days": 8}, "days: Input should be less than or equal to 7"),
        ({"place": {}}, "place.city: Field required"),
        ({"place": {"city": "x"}, "caller": "me"}, "caller: Extra inputs are not permitted"),
        ({"place": {"city": "x"}, "unit": "K", "days": 0}, "; unit: Input should be 'C' or 'F'"),
        ([], "Input should be a valid dictionary"),
        (None, "Input should be a valid dictionary"),
    ],
)
async def test_an_input_that_does_not_fit_is_told_to_claude(given: Any, complaint: str) -> None:
    result = await found("weather").run(given, CALLER)
    assert result.is_error
    assert str(result.content).startswith("The input does not fit the tool's schema: ")
    assert complaint in str(result.content)


async def test_an_error_is_told_by_its_kind_and_one_of_ours_in_its_words(caplog: pytest.LogCaptureFixture) -> None:
    def breaks() -> None:
        raise LookupError("no such city")

    def refuses() -> None:
        raise ColloquyError("Not today.")

    tool(breaks)
    tool(refuses)
    assert await found("breaks").run({}, CALLER) == Result("LookupError: no such city", is_error=True)
    assert "The tool breaks failed" in caplog.text
    assert await found("refuses").run({}, CALLER) == Result("Not today.", is_error=True)


async def test_a_tool_that_takes_longer_than_it_may_is_given_up() -> None:
    async def slow() -> None:
        await asyncio.Event().wait()

    tool(seconds=0.01)(slow)
    assert await found("slow").run({}, CALLER) == Result("The tool took longer than 0.01 seconds.", is_error=True)


async def test_what_a_tool_says_of_an_error_is_bounded() -> None:
    def breaks() -> None:
        raise LookupError("x" * 10_000)

    tool(breaks)
    assert len(str((await found("breaks").run({}, CALLER)).content)) == tools.COMPLAINT_LIMIT


@pytest.mark.parametrize(
    ("value", "content"),
    [
        ("sunny", "sunny"),
        (None, ""),
        (5, "5"),
        (True, "true"),
        ({"a": [1, "ä"]}, '{"a":[1,"ä"]}'),
        ([], "[]"),
        ([{"type": "text", "text": "x"}], [{"type": "text", "text": "x"}]),
        ([{"kind": "text"}], '[{"kind":"text"}]'),
        ([{"type": "text", "text": "x"}, 5], '[{"type":"text","text":"x"},5]'),
        (Place(city="x"), '{"city":"x","country":"DE"}'),
        (CALLER.user, f'"{CALLER.user}"'),
    ],
)
async def test_a_result_is_text_blocks_or_json(value: Any, content: Any) -> None:
    def returns() -> object:
        return value

    tool(returns)
    assert await found("returns").run({}, CALLER) == Result(content)


def test_a_name_belongs_to_one_module() -> None:
    def other() -> None:
        pass

    other.__name__, other.__module__ = "weather", "elsewhere"
    with pytest.raises(ValueError, match="two tools with the name weather"):
        tool(other)
    tool(weather)  # as when a module is loaded again


def test_settings_say_in_full_what_claude_will_be_told() -> None:
    given: Any = {"tools": [{"type": "platform", "name": "undescribed", "cache_control": USED}, {"name": "own"}]}
    full: Any = with_definitions(given)
    definition = found("undescribed").definition()
    assert full == {"tools": [{"type": "platform", **definition, "cache_control": USED}, {"name": "own"}]}
    assert tools_for_claude(full["tools"]) == [{**definition, "cache_control": USED}, {"name": "own"}]
    assert with_definitions(full) == full
    assert with_definitions(given) == full, "what was given was changed"


@pytest.mark.parametrize("given", [{}, {"tools": None}, {"tools": []}, {"tools": ["look"]}])
def test_settings_without_tools_of_the_platform_stay_as_they_are(given: Any) -> None:
    assert with_definitions(given) == given


@pytest.mark.parametrize("name", ["hear", "", None, 5, ["weather"], {"name": "weather"}])
def test_a_tool_that_there_is_not_is_refused_with_those_that_there_are(name: Any) -> None:
    given: Any = {"tools": [{"name": "own"}, {"type": "platform", "name": name}]}
    with pytest.raises(InvalidRequest, match="it has undescribed, weather") as refused:
        with_definitions(given)
    assert refused.value.details == {"tools.1.name": "unknown"}
