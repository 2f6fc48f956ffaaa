"""Checking a tool's `input_schema` (claude-api.md 8). Pure.

Claude's API refuses requests with an invalid schema: every turn of a conversation with such a tool would fail.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from conversations.exact_json import dumps

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator

DRAFT = "https://json-schema.org/draft/2020-12/schema"
SHOWN = 10_000
"""The length of a schema in characters up to which its error is located, which takes seconds for a million."""
MESSAGE_LIMIT = 200  # characters


def complaint(schema: object) -> str | None:
    """Return the error of a tool's schema, or None. Its references and patterns are not checked."""
    if not isinstance(schema, dict) or schema.get("type") != "object":
        return "Must be a JSON Schema of an object."
    if _draft().is_valid(schema):
        return None
    return f"Must be a JSON Schema of draft 2020-12{_fault(schema)}."


@cache
def _draft() -> Draft202012Validator:
    """Return the validator of schemas, by the meta-schema. `$schema` is not fetched."""
    from jsonschema_rs import Draft202012Validator  # not before there is a schema: it takes 6 MB

    return Draft202012Validator({"$ref": DRAFT}, offline=True)


def _fault(schema: object) -> str:
    if len(dumps(schema)) > SHOWN:
        return ""
    error = next(_draft().iter_errors(schema))
    return f"; {'.'.join(map(str, error.instance_path))}: {error.message[:MESSAGE_LIMIT]}"
