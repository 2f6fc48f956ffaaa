"""Generating JSON that satisfies a schema, with values from a text, and their quotes. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from conversations.json_types import JSON, JSONSchema
from conversations.sandbox.output_schemas import PARTS_LIMIT, is_well_formed, refused_schema, resolve
from conversations.sandbox.text_tables import rows
from conversations.sandbox.text_values import Found, TextValues, words_of

DEFAULTS: dict[str, JSON] = {
    "email": "nobody@example.com",
    "url": "https://example.com/",
    "phone": "+1 555 0100",
    "date": "2026-01-01",
    "number": 0,
    "code": "0",
    "currency": "USD",
    "name": "Nobody",
}
"""What is said where the text has nothing and the schema wants something."""
FORMATS = {"email": "email", "uri": "url", "date": "date", "date-time": "date"}
NAMED = {
    "email": ("email", "mail"),
    "url": ("url", "link", "website", "uri"),
    "phone": ("phone", "telephone", "mobile", "fax"),
    "date": ("date", "day", "issued", "deadline"),
    "currency": ("currency",),
    "code": ("number", "no", "nr", "id", "code", "reference", "iban"),
    "name": ("name", "person", "vendor", "customer", "seller", "buyer", "author"),
}
"""Which words in the name of a string tell what kind it is."""


class _Endless(Exception):
    """No finite value satisfies a schema here, since it contains itself; or it allows no value."""


@dataclass
class Filled:
    """A value, and the quotes for its leaves that the text has, by JSON Pointer."""

    value: JSON = None
    evidence: list[dict[str, str]] = field(default_factory=list)


def filled(schema: JSONSchema, text: str) -> Filled:
    """Return a value that satisfies the schema, filled from the text as far as possible.

    The schema must be well-formed. Raise Refused if the value would be too large, or endless.
    """
    filling = _Filling(schema, text)
    try:
        value = filling.value(schema, _At("", []), ())
    except (_Endless, RecursionError):
        raise refused_schema("it allows no value, or none that has an end") from None
    return Filled(value, filling.evidence)


@dataclass(frozen=True)
class _At:
    """The place in the value that is being filled."""

    path: str
    words: list[str]
    """Those of the names that lead there, of the last two objects."""
    needed: bool = True
    """Whether something has to be there."""

    def field(self, name: str, needed: bool) -> _At:
        words = words_of(name)
        outer = [word for word in self.words[-2:] if word not in words]
        return _At(f"{self.path}/{name.replace('~', '~0').replace('/', '~1')}", [*outer, *words], needed)

    def item(self, index: int) -> _At:
        return _At(f"{self.path}/{index}", self.words, self.needed)


class _Missing(Exception):
    """The text has no value for an optional field."""


class _Filling:
    """Fills a value recursively."""

    def __init__(self, root: JSONSchema, text: str) -> None:
        self._root = root
        self._text = TextValues(text)
        self._left = PARTS_LIMIT
        self.evidence: list[dict[str, str]] = []

    def value(self, schema: object, at: _At, open: tuple[str, ...]) -> JSON:
        """Return a value for a part of the schema; `open` are the references that lead to it."""
        self._left -= 1
        if self._left < 0:
            raise refused_schema("a value that satisfies it is too large")
        if not isinstance(schema, dict):
            return self._text.text  # true: anything
        if "$ref" in schema:
            if schema["$ref"] in open:
                raise _Endless
            return self.value(self._target(schema["$ref"]), at, (*open, schema["$ref"]))
        if "const" in schema:
            constant: JSON = schema["const"]
            return constant
        if "enum" in schema:
            return self._choice(schema["enum"], at)
        for keyword in ("anyOf", "oneOf", "allOf"):
            if keyword in schema:
                return self._first(schema[keyword], at, open)
        return self._of_type(schema, at, open)

    def _target(self, ref: str) -> object:
        """Return the schema of a reference. Raise Refused if there is none."""
        target: object = resolve(ref, self._root)
        if not is_well_formed(target):
            raise refused_schema(f"{ref}: there is no schema there")
        return target

    def _said(self, found: Found, at: _At) -> JSON:
        self.evidence.append({"path": at.path, "quote": found.quote})
        return found.value

    def _choice(self, choices: list[JSON], at: _At) -> JSON:
        for each in choices:
            match = re.search(rf"\b{re.escape(str(each))}\b", self._text.text, re.IGNORECASE)
            if match:
                return self._said(Found(each, match[0]), at)
        if not at.needed:
            raise _Missing
        if not choices:
            raise _Endless
        return choices[0]

    def _first(self, schemas: list[JSONSchema], at: _At, open: tuple[str, ...]) -> JSON:
        nullable = {"type": "null"} in schemas
        known = len(self.evidence)
        for schema in (each for each in schemas if each != {"type": "null"}):
            try:
                return self.value(schema, _At(at.path, at.words, at.needed and not nullable), open)
            except (_Endless, _Missing):
                del self.evidence[known:]
        if nullable:
            return None
        raise _Endless if at.needed else _Missing

    def _of_type(self, schema: JSONSchema, at: _At, open: tuple[str, ...]) -> JSON:
        kinds = schema.get("type", "object" if "properties" in schema else "string")
        if isinstance(kinds, list):
            return self._first(
                [{**schema, "type": kind} if kind != "null" else {"type": kind} for kind in kinds], at, open
            )
        match kinds:
            case "object":
                return self._object(schema, at, open)
            case "array":
                return self._array(schema, at, open)
            case "boolean":
                return self._boolean(at)
            case "null":
                return None
        return self._scalar(kinds, schema, at)

    def _object(self, schema: JSONSchema, at: _At, open: tuple[str, ...]) -> JSON:
        made = {}
        required = schema.get("required", ())
        for name, each in schema.get("properties", {}).items():
            known = len(self.evidence)
            try:
                made[name] = self.value(each, at.field(name, at.needed and name in required), open)
            except (_Endless, _Missing):
                del self.evidence[known:]
                if name in required:
                    raise
        if not made and not at.needed:
            raise _Missing
        return made

    def _array(self, schema: JSONSchema, at: _At, open: tuple[str, ...]) -> JSON:
        items = schema.get("items", {})
        tuple_of = items if isinstance(items, list) else schema.get("prefixItems")
        if tuple_of:
            return [self.value(each, at.item(index), open) for index, each in enumerate(tuple_of)]
        while isinstance(items, dict) and "$ref" in items and items["$ref"] not in open:
            open, items = (*open, items["$ref"]), self._target(items["$ref"])
        return self._rows(items, at) or self._scalars(items, at) or self._single(items, at, open)

    def _rows(self, items: object, at: _At) -> list[JSON]:
        """Return the rows of tables, if the items are objects of scalar values."""
        named = items.get("properties", {}) if isinstance(items, dict) else {}
        kinds = {name: _kind(_type_of(each), each, words_of(name)) for name, each in named.items()}
        if not named or None in kinds.values():
            return []
        made: list[JSON] = []
        for index, row in enumerate(rows(self._text.text, {name: kind or "text" for name, kind in kinds.items()})):
            place = at.item(index)
            made.append(
                {name: self._cell(each, row.get(name), place.field(name, True)) for name, each in named.items()}
            )
        return made

    def _cell(self, schema: JSONSchema, found: Found | None, at: _At) -> JSON:
        if found is not None:
            return _as(_type_of(schema), self._said(found, at))
        if "null" in (schema.get("type") or ()) or {"type": "null"} in schema.get("anyOf", ()):
            return None
        return DEFAULTS["number"] if _type_of(schema) in ("integer", "number") else ""

    def _scalars(self, items: object, at: _At) -> list[JSON]:
        """Return all values of such a kind (emails, dates and so on), or other words from lists."""
        kind = _kind(_type_of(items), items, at.words) if isinstance(items, dict) else None
        if kind == "text":
            listed = self._text.find(kind, at.words)
            parts = re.split(r"\s*[,;]\s*", listed.quote) if listed else []
            return [self._said(Found(part, part), at.item(index)) for index, part in enumerate(filter(None, parts))]
        if kind not in ("email", "url", "phone", "date"):
            return []
        return [self._said(each, at.item(index)) for index, each in enumerate(self._text.all(kind))]

    def _single(self, items: object, at: _At, open: tuple[str, ...]) -> list[JSON]:
        known = len(self.evidence)
        try:
            only = [self.value(items, at.item(0), open)]
        except (_Endless, _Missing):
            del self.evidence[known:]
            return []
        return only if at.needed or len(self.evidence) > known else []

    def _boolean(self, at: _At) -> bool:
        found = self._text.find("boolean", at.words) or self._text.first("boolean")
        return bool(self._said(found, at)) if found else True

    def _scalar(self, type: str, schema: JSONSchema, at: _At) -> JSON:
        kind = _kind(type, schema, at.words) or "text"
        found = self._text.find(kind, at.words) or self._text.find(kind, words_of(schema.get("description", ""))[:4])
        if found is None and kind != "text" and (at.needed or kind in ("email", "url")):
            found = self._text.first(kind)
        if found is None and not at.needed:
            raise _Missing
        if found is None:
            found = None if kind in DEFAULTS else _excerpt(self._text.text)
        value = DEFAULTS.get(kind) if found is None else self._said(found, at)
        if schema.get("format") == "date-time":
            return f"{value}T00:00:00Z"
        return _as(type, value)


def _type_of(schema: object) -> str:
    """Return the type of scalar values that a schema describes, or its other type."""
    if not isinstance(schema, dict):
        return "anything"
    for each in schema.get("anyOf", ()):
        if each != {"type": "null"}:
            return _type_of(each)
    kinds = schema.get("type", "string")
    return next((kind for kind in kinds if kind != "null"), "null") if isinstance(kinds, list) else str(kinds)


def _kind(type: str, schema: JSONSchema, words: list[str]) -> str | None:
    """Return the kind of value to search; None if it is not a scalar."""
    if type in ("integer", "number"):
        return "number"
    if type != "string":
        return "boolean" if type == "boolean" else None
    if schema.get("format") in FORMATS:
        return FORMATS[schema["format"]]
    return next((kind for kind, named in NAMED.items() if set(named) & set(words)), "text")


def _as(type: str, value: JSON) -> JSON:
    """Return a number in the schema's type: an integer, or with a fraction."""
    if type == "integer" and isinstance(value, float):
        return int(value)
    return str(value) if type == "string" and not isinstance(value, str) else value


def _excerpt(text: str) -> Found:
    quoted = re.search(r'"([^"]*)"', text)
    said = (quoted[1] if quoted else text.lstrip().partition("\n")[0])[:80].strip()
    return Found(said, said)
