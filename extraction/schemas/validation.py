"""Compiling schemas and validating data. Numbers are compared as decimals, and patterns are those of ECMA-262."""

from __future__ import annotations

from typing import TYPE_CHECKING

import regress
from jsonschema_rs import Draft202012Validator, ValidationError

from extraction.schemas.dialect import Schema, modern, pointer

if TYPE_CHECKING:
    from conversations.contract.extraction_types import Problem

PROBLEMS_LIMIT = 20
MESSAGE_LIMIT = 500  # characters


class Pattern:
    """The keyword `pattern`, by the regular expressions of ECMA-262, which JSON Schema's are.

    (The validator's own engine does not support back references and treats U+2028 as an ordinary character.)
    """

    def __init__(self, parent: Schema, pattern: str, path: list[str | int]) -> None:
        self._pattern = pattern
        self._expression = compiled(pattern)

    def validate(self, value: object) -> None:
        """Raise ValueError for a string that does not match the pattern."""
        if isinstance(value, str) and self._expression.find(value) is None:
            raise ValueError(f'"{value}" does not match "{self._pattern}"')


def compiled(pattern: str) -> regress.Regex:
    """Compile a pattern as a regular expression, in Unicode mode if possible. Raise regress.RegressError.

    Only the older mode accepts unnecessary escapes, as in `\\-`, which many schemas have.
    """
    try:
        return regress.Regex(pattern, "u")
    except regress.RegressError:
        return regress.Regex(pattern)


class Validator:
    """A compiled schema, which validates data."""

    def __init__(self, schema: Schema) -> None:
        """Compile a schema. Raise jsonschema_rs.ValidationError if it is invalid, ValueError if it is too deep.

        References are never fetched.
        """
        self._compiled = Draft202012Validator(
            modern(schema), validate_formats=True, offline=True, keywords={"pattern": Pattern}
        )

    def accepts(self, data: object) -> bool:
        """Return whether the data satisfies the schema."""
        return self._compiled.is_valid(data)

    def problems(self, data: object) -> list[Problem]:
        """Return the problems of the data, ordered by place: a JSON Pointer, and a message."""
        if self.accepts(data):
            return []
        errors = sorted(self._compiled.iter_errors(data), key=lambda error: [str(step) for step in error.instance_path])
        return [_problem(error) for error in errors[:PROBLEMS_LIMIT]]


def _problem(error: ValidationError) -> Problem:
    return {"path": pointer(error.instance_path), "message": error.message[:MESSAGE_LIMIT]}
