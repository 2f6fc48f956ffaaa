"""The platform's tools: Python functions that a conversation may offer to Claude.

    from conversations.tools import tool

    @tool
    async def weather(city: Annotated[str, Field(description="Its name in English.")]) -> str:
        \"\"\"The weather in a city, now.\"\"\"

The signature becomes the schema, the docstring the description. A conversation names it among its `tools` as
`{"type": "platform", "name": "weather"}`. The modules with the functions are named by COLLOQUY_TOOLS.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar, cast, get_type_hints, overload

from django.apps import apps
from django.conf import settings
from pydantic import BaseModel, ConfigDict, ValidationError, create_model
from pydantic_core import to_jsonable_python

from conversations import tool_calls
from conversations.claude.fitting import most_tokens_of
from conversations.content import block_checks, json_checks
from conversations.contract.wire import Block, Settings
from conversations.contract.wire import Tool as ToolParam
from conversations.errors import ColloquyError, InvalidRequest

F = TypeVar("F", bound=Callable[..., object])

logger = logging.getLogger(__name__)

PLATFORM = "platform"
"""The type of a tool in a conversation's settings that names one of these."""

RESULT_LIMIT = 4_000_000  # bytes of text in a result
COMPLAINT_LIMIT = 4_000  # characters of an error's message


@dataclass(frozen=True)
class Caller:
    """The user, conversation and turn of a call, passed to a parameter of this type, which Claude does not see."""

    user: uuid.UUID
    conversation: uuid.UUID
    turn: uuid.UUID


@dataclass(frozen=True)
class Result:
    """The result of a tool call, as in Claude's `tool_result`."""

    content: str | list[Block]
    is_error: bool = False


@dataclass(frozen=True)
class Tool:
    """A function that Claude may call."""

    name: str
    function: Callable[..., object]
    arguments: type[BaseModel]
    caller: str | None
    """The name of the parameter that takes the Caller."""
    seconds: float | None
    """The timeout of a call in seconds; None for COLLOQUY_TOOL_TIMEOUT."""

    def definition(self) -> ToolParam:
        """Return the tool's definition for Claude."""
        schema = self.arguments.model_json_schema()
        del schema["title"]
        return {"name": self.name, "description": inspect.getdoc(self.function) or "", "input_schema": schema}

    async def run(self, given: object, caller: Caller) -> Result:
        """Call the function. An error becomes a result that describes it, which Claude can use."""
        limit = self.seconds or settings.COLLOQUY_TOOL_TIMEOUT
        try:
            arguments = self._checked(given, caller)
            value = await tool_calls.call(self.function, arguments, tool=self.name, user=caller.user, seconds=limit)
            return await asyncio.to_thread(_result, value)
        except tool_calls.TookTooLong:
            return _failed(f"The tool took longer than {limit:g} seconds.")
        except ValidationError as error:
            return _failed(f"The input does not fit the tool's schema: {_complaints(error)}")
        except ColloquyError as error:
            return _failed(str(error))
        except Exception as error:  # whatever it was, the turn goes on
            logger.exception("The tool %s failed", self.name)
            return _failed(f"{type(error).__name__}: {error}")

    def _checked(self, given: object, caller: Caller) -> dict[str, object]:
        arguments = self.arguments.model_validate(given)
        named = {name: getattr(arguments, name) for name in type(arguments).model_fields}
        return {**named, self.caller: caller} if self.caller else named


def _failed(complaint: str) -> Result:
    """Return a result that describes an error, in storable characters."""
    kept = complaint[:COMPLAINT_LIMIT].encode(errors="replace").decode().replace("\0", "\ufffd")
    return Result(kept, is_error=True)


def _result(value: object) -> Result:
    """Return the result of a tool: strings and content blocks unchanged, anything else as JSON.

    It is validated like all external input. Raise InvalidRequest for results that can't be stored or sent.
    """
    if isinstance(value, list) and value and all(isinstance(each, dict) and "type" in each for each in value):
        blocks = block_checks.check_blocks(json.loads(_json(value)), "content", block_checks.IN_TOOL_RESULT)
        _check_size(most_tokens_of(blocks))
        return Result(blocks)
    text = value if isinstance(value, str) else "" if value is None else _json(value)
    json_checks.check_text(text, "content")
    _check_size(len(text.encode()))
    return Result(text)


def _json(value: object) -> str:
    if isinstance(value, Iterator):
        raise InvalidRequest("The tool returned an iterator, which is not JSON: it should return a list.")
    try:
        return json.dumps(to_jsonable_python(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (ValueError, TypeError, RecursionError) as error:
        raise InvalidRequest(f"The tool returned what is not JSON: {error}") from error


def _check_size(size: int) -> None:
    if size > RESULT_LIMIT:
        raise InvalidRequest(f"The tool returned {size} bytes; a result may have {RESULT_LIMIT}.")


def _complaints(error: ValidationError) -> str:
    return "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())


@overload
def tool(function: F) -> F: ...
@overload
def tool(*, seconds: float) -> Callable[[F], F]: ...
def tool(function: F | None = None, *, seconds: float | None = None) -> F | Callable[[F], F]:
    """Register a function as a tool that conversations may name. The function itself stays as it is."""

    def register(function: F) -> F:
        made = _made(function, seconds)
        known = _registered().get(made.name)
        if known and known.function.__module__ != function.__module__:
            raise ValueError(f"There are two tools with the name {made.name}.")
        _registered()[made.name] = made
        return function

    return register if function is None else register(function)


def _made(function: Callable[..., object], seconds: float | None) -> Tool:
    name = function.__name__
    hints = get_type_hints(function, include_extras=True)
    fields: dict[str, Any] = {}
    caller: str | None = None
    for parameter in inspect.signature(function).parameters.values():
        hint = hints.get(parameter.name, Any)
        if hint is Caller:
            caller = parameter.name
        else:
            fields[parameter.name] = (hint, ... if parameter.default is parameter.empty else parameter.default)
    arguments = create_model(name, __config__=ConfigDict(extra="forbid"), **fields)
    return Tool(name, function, arguments, caller, seconds)


def _registered() -> dict[str, Tool]:
    """Return the tools by their names. The app keeps them."""
    return cast("dict[str, Tool]", apps.get_app_config("conversations").tools)  # type: ignore[attr-defined]


def registered_tool(name: str) -> Tool | None:
    """Return the tool of that name; None if no such function is registered any more."""
    return _registered().get(name)


def with_definitions(given: Settings) -> Settings:
    """Return settings with the complete definitions of platform tools.

    Raise InvalidRequest for unknown ones.

    A turn stores the definitions, so that a later change of a tool is noticed by comparing turns.
    """
    tools = given.get("tools")
    return {**given, "tools": [_defined(each, at) for at, each in enumerate(tools)]} if tools else given


def _defined(given: ToolParam, at: int) -> ToolParam:
    if not is_platform(given):
        return given
    name: object = given.get("name")  # whatever a client has sent
    found = _registered().get(name) if isinstance(name, str) else None
    if found is None:
        known = ", ".join(sorted(_registered())) or "none"
        raise InvalidRequest(
            f"tools.{at}.name: The platform has no tool of this name; it has {known}.",
            details={f"tools.{at}.name": "unknown"},
        )
    defined: ToolParam = {"type": PLATFORM, **found.definition()}
    if "cache_control" in given:
        defined["cache_control"] = given["cache_control"]
    return defined


def is_platform(given: object) -> bool:
    """Return whether a tool of a conversation's settings is one of the platform's."""
    return isinstance(given, dict) and given.get("type") == PLATFORM


def tools_for_claude(given: Iterable[ToolParam]) -> list[ToolParam]:
    """Return a turn's tools in Claude's form, without the information who runs them."""
    return [_untyped(each) if is_platform(each) else each for each in given]


def _untyped(given: ToolParam) -> ToolParam:
    untyped = given.copy()
    del untyped["type"]
    return untyped
