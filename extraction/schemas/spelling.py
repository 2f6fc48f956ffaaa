"""Correcting the letter case of enum values, which structured outputs don't guarantee (claude-api.md 7)."""

from __future__ import annotations

from conversations.json_types import JSON
from extraction.schemas.dialect import NoSuchPlace, Schema, modern, resolved


def with_spelling(schema: Schema, data: JSON) -> JSON:
    """Return the data with the values of `enum` and `const` in the schema's spelling; the rest unchanged."""
    try:
        modernised = modern(schema)
        return _Spelling(modernised).of(modernised, data)
    except (NoSuchPlace, RecursionError):  # a reference by name, or data without end
        return data


class _Spelling:
    """Walks schema and data in parallel, visiting each pair of a schema and a value once."""

    def __init__(self, root: Schema) -> None:
        self._root = root
        # The values are kept with their ids, which could otherwise be reused for other objects.
        self._spelt: dict[tuple[int, int], tuple[JSON, JSON]] = {}

    def of(self, schema: object, data: JSON) -> JSON:
        """Return the data in the schema's spelling."""
        if not isinstance(schema, dict):
            return data
        pair = (id(schema), id(data))
        if pair not in self._spelt:
            self._spelt[pair] = (data, data)  # for references that come back here
            self._spelt[pair] = (data, self._as_spelt(schema, data))
        return self._spelt[pair][1]

    def _as_spelt(self, schema: Schema, data: JSON) -> JSON:
        if isinstance(schema.get("$ref"), str):
            data = self.of(resolved(schema["$ref"], self._root), data)
        for keyword in ("allOf", "anyOf", "oneOf"):
            for each in schema.get(keyword, ()):
                data = self.of(each, data)
        if isinstance(data, str):
            return _word(schema, data)
        if isinstance(data, dict):
            named = schema.get("properties") or {}
            rest = schema.get("additionalProperties")
            return {name: self.of(named.get(name, rest), value) for name, value in data.items()}
        if isinstance(data, list):
            first, rest = schema.get("prefixItems") or [], schema.get("items")
            return [self.of(first[index] if index < len(first) else rest, value) for index, value in enumerate(data)]
        return data


def _word(schema: Schema, word: str) -> str:
    choices = schema["enum"] if "enum" in schema else [schema.get("const")]
    if word in choices:
        return word
    return next((each for each in choices if isinstance(each, str) and each.lower() == word.lower()), word)
