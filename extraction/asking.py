"""What Claude is asked for an extraction. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from conversations.exact_json import dumps

Block = dict[str, Any]

INSTRUCTIONS = (
    "Extract what the schema describes from what the user gives you. Take values only from there; do not make any up."
)
JSON_ONLY = "Answer with a single JSON value that satisfies this JSON Schema, and nothing else:\n\n{schema}"
AGAIN = "That does not satisfy the schema:\n\n{problems}\n\nGive the whole JSON again, corrected."


@dataclass(frozen=True)
class Answered:
    """An earlier attempt: what Claude answered, and what was wrong with that."""

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
    """Return the body of a Messages request. `native` is the schema that Claude is held to, where it can be."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": content}]
    for attempt in earlier:
        messages.append({"role": "assistant", "content": list(attempt.content)})
        listed = "\n".join(f"- {problem['path'] or '/'}: {problem['message']}" for problem in attempt.problems)
        messages.append({"role": "user", "content": AGAIN.format(problems=listed)})
    request: dict[str, Any] = {"model": model, "max_tokens": max_tokens, "messages": messages, "system": INSTRUCTIONS}
    if native is not None:
        request["output_config"] = {"format": {"type": "json_schema", "schema": native}}
    else:
        request["system"] += "\n\n" + JSON_ONLY.format(schema=dumps(schema))
    return request
