"""What Claude is asked for an extraction, and what is found in its answer. Pure."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from conversations.content import DEPTH_LIMIT

Block = dict[str, Any]

INSTRUCTIONS = (
    "Extract what the schema describes from what the user gives you. Take values only from there; do not make any up."
)
JSON_ONLY = "Answer with a single JSON value that satisfies this JSON Schema, and nothing else:\n\n{schema}"
AGAIN = "That does not satisfy the schema:\n\n{problems}\n\nGive the whole JSON again, corrected."
NO_JSON = "The answer has no JSON in it."

FENCE = re.compile(r"```(?:json)?\s*\n(.*?)```", re.DOTALL)


@dataclass(frozen=True)
class Answered:
    """An earlier attempt: what Claude answered, and what was wrong with it."""

    content: Sequence[Block]
    problems: Sequence[dict[str, str]]


def request_for(
    *,
    model: str,
    max_tokens: int,
    schema: dict[str, Any],
    native: dict[str, Any] | None,
    content: list[Block],
    earlier: Sequence[Answered] = (),
) -> dict[str, Any]:
    """The body of a Messages request. `native` is the schema that Claude is held to, where it can be."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": content}]
    for attempt in earlier:
        messages.append({"role": "assistant", "content": list(attempt.content)})
        listed = "\n".join(f"- {problem['path'] or '/'}: {problem['message']}" for problem in attempt.problems)
        messages.append({"role": "user", "content": AGAIN.format(problems=listed)})
    request: dict[str, Any] = {"model": model, "max_tokens": max_tokens, "messages": messages, "system": INSTRUCTIONS}
    if native is not None:
        request["output_config"] = {"format": {"type": "json_schema", "schema": native}}
    else:
        request["system"] += "\n\n" + JSON_ONLY.format(schema=json.dumps(schema))
    return request


def json_in(text: str) -> Any:
    """The JSON of an answer: all of it, in a fence, or in prose. Raises ValueError where there is none to keep."""
    found = _found(text)
    _check(found)
    return found


def _found(text: str) -> Any:
    for candidate in (text, *FENCE.findall(text)):
        try:
            return _parsed(candidate)
        except ValueError:
            continue
    return _in_prose(text)


def _in_prose(text: str) -> Any:
    decoder = json.JSONDecoder(parse_constant=_refuse, parse_float=_finite)
    for opening in re.finditer(r"[{\[]", text):
        try:
            return decoder.raw_decode(text, opening.start())[0]
        except (ValueError, RecursionError):
            continue
    raise ValueError(NO_JSON)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except RecursionError:
        raise ValueError(NO_JSON) from None


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def _finite(number: str) -> float:
    # Python reads 1e400 as infinity, which JSON can't say and Postgres does not store.
    value = float(number)
    if not math.isfinite(value):
        raise ValueError(f"{number} is too large a number")
    return value


def _check(value: Any, depth: int = 0) -> None:
    """Refuses what could be stored but not shown again. (NUL and huge integers can be.)"""
    if depth > DEPTH_LIMIT:
        raise ValueError("The JSON is nested too deep.")
    if isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value):
        raise ValueError("The JSON has half a surrogate pair in it.")
    if isinstance(value, (dict, list)):
        for item in [*value, *value.values()] if isinstance(value, dict) else value:
            _check(item, depth + 1)
