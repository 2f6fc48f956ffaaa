"""Schemas as structured outputs take them (claude-api.md 7)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from conversations.exact_json import dumps
from extraction.schemas.dialect import NoSuchPlace, Path, Schema, modern, parts, pointer, resolved

# The parts of a schema that structured outputs support (claude-api.md 7). The rest is described, and validated by us.
TAKEN = frozenset(
    [
        "type",
        "properties",
        "required",
        "items",
        "enum",
        "const",
        "anyOf",
        "allOf",
        "$ref",
        "$defs",
        "definitions",
        "default",
        "title",
        "description",
    ]
)
FORMATS = frozenset(["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"])
ANNOTATIONS = frozenset(
    {"$schema", "$id", "$comment", "examples", "additionalItems", "additionalProperties", "oneOf", "format", "minItems"}
)
DEFINITIONS = ("$defs", "definitions")
NAMED = ("properties", *DEFINITIONS)
LISTED = ("anyOf", "allOf")
SEVERAL = frozenset({"allOf", "anyOf", "oneOf", "$ref"})
OPEN = frozenset({"patternProperties", "unevaluatedProperties", "propertyNames"})
OPTIONAL_LIMIT = 24
UNION_LIMIT = 16
NOTES_LIMIT = 100
NOTE_LIMIT = 300  # characters


class NotNative(Exception):
    """Structured outputs can't express the schema; the message says why."""


@dataclass(frozen=True)
class Fit:
    """A schema as structured outputs take it."""

    grammar: Schema | None
    """The schema for structured outputs; None if they can't express it."""
    notes: list[str] = field(default_factory=list)
    """The constraints that they don't enforce, with JSON Pointers: described to Claude, and validated by us."""


def native(schema: Schema) -> Schema | None:
    """Return the schema as structured outputs take it, or None where they can't express it."""
    return fit(schema).grammar


def fit(schema: Schema) -> Fit:
    """Return a schema as structured outputs take it, and notes on what they don't enforce.

    Constraints that they don't support are added to the description, where Claude at least reads them.
    """
    modernised = modern(schema)
    fitting = _Fitting()
    try:
        _refuse_recursion(modernised, modernised, set(), set())
        fitted = fitting.of(modernised, ())
        _refuse_too_many(fitted)
    except NotNative as error:
        return Fit(None, [f"Claude is told the schema in words, and we enforce it: {error}."[:NOTE_LIMIT]])
    except (NoSuchPlace, RecursionError):
        return Fit(None, ["Claude is told the schema in words, and we enforce it."])
    return Fit(fitted, fitting.notes[:NOTES_LIMIT])


def _refuse_too_many(fitted: Schema) -> None:
    every = list(_within(fitted))
    optional = sum(len(each.get("properties", {}).keys() - set(each.get("required", []))) for each in every)
    unions = sum("anyOf" in each or isinstance(each.get("type"), list) for each in every)
    if optional > OPTIONAL_LIMIT:
        raise NotNative(f"it has {optional} optional fields, and structured outputs take {OPTIONAL_LIMIT}")
    if unions > UNION_LIMIT:
        raise NotNative(f"it has {unions} unions of types, and structured outputs take {UNION_LIMIT}")


def _within(fitted: Schema) -> Iterator[Schema]:
    """Yield a fitted schema and every one in it."""
    yield fitted
    for key in NAMED:
        for each in fitted.get(key, {}).values():
            yield from _within(each)
    for key in LISTED:
        for each in fitted.get(key, []):
            yield from _within(each)
    if "items" in fitted:
        yield from _within(fitted["items"])


class _Fitting:
    """Fits a schema and all in it, and notes what is lost by that."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def of(self, schema: Schema, path: Path) -> Schema:
        """Return a schema without what structured outputs don't take. Raises NotNative where that changes too much."""
        _refuse_inexpressible(schema, path)
        fitted = {key: value for key, value in schema.items() if key in TAKEN}
        for key in NAMED:
            if key in schema:
                fitted[key] = {name: self.of(each, (*path, key, name)) for name, each in schema[key].items()}
        for key, taken_as in (("anyOf", "anyOf"), ("allOf", "allOf"), ("oneOf", "anyOf")):
            if key in schema:
                fitted[taken_as] = [self.of(each, (*path, key, str(at))) for at, each in enumerate(schema[key])]
        if "items" in schema:
            fitted["items"] = self.of(schema["items"], (*path, "items"))
        if schema.get("format") in FORMATS:
            fitted["format"] = schema["format"]
        if schema.get("minItems") in (0, 1):
            fitted["minItems"] = schema["minItems"]
        _refuse_contradiction(schema, fitted, path)
        _close(schema, fitted, path)
        self._describe(schema, fitted, path)
        return fitted

    def _describe(self, schema: Schema, fitted: Schema, path: Path) -> None:
        kept = fitted.keys() | ANNOTATIONS
        untold = {key: value for key, value in schema.items() if key not in kept}
        for key in ("format", "minItems"):
            if key in schema and key not in fitted:
                untold[key] = schema[key]
        if untold:
            told = "; ".join(f"{key}: {dumps(value, ascii=False)}" for key, value in untold.items())
            fitted["description"] = f"{schema.get('description', '')} ({told})".strip()
            self.notes.append(f"{pointer(path) or '/'}: {told}"[:NOTE_LIMIT])


def _at(path: Path) -> str:
    return f"at {pointer(path)}" if path else "at its root"


def _refuse_inexpressible(schema: object, path: Path) -> None:
    if not isinstance(schema, dict):
        raise NotNative(f"{dumps(schema)} {_at(path)} is no object")
    if "prefixItems" in schema:
        raise NotNative(f"structured outputs have no tuples, as {_at(path)}")
    if any(isinstance(each, (dict, list)) for each in [*schema.get("enum", []), schema.get("const")]):
        raise NotNative(f"only scalars are enumerated, not as {_at(path)}")


def _refuse_contradiction(schema: Schema, fitted: Schema, path: Path) -> None:
    # Every object is closed, so that one part of a combination forbids the properties of the others.
    several = len(schema.keys() & SEVERAL) + ("properties" in schema) > 1
    parts = fitted.get("allOf", [])
    if several or (len(parts) > 1 and any(each.keys() & (SEVERAL | {"properties"}) for each in parts)):
        raise NotNative(f"closed objects can't be combined as {_at(path)}")


def _close(schema: Schema, fitted: Schema, path: Path) -> None:
    kinds = schema.get("type", [])
    named = schema.get("properties", {})
    if "object" not in kinds and not named:
        if not fitted.keys() & {"type", "enum", "const", "anyOf", "allOf", "$ref"}:
            raise NotNative(f"anything is allowed {_at(path)}")
        return
    open_map = schema.get("additionalProperties") not in (None, False) or schema.keys() & OPEN
    if not named or open_map or set(schema.get("required", [])) - named.keys():
        raise NotNative(f"the object {_at(path)} is open to fields that are not named")
    fitted.setdefault("type", "object")
    fitted["additionalProperties"] = False


def _refuse_recursion(schema: object, root: Schema, open: set[int], done: set[int]) -> None:
    """Raise NotNative where a schema contains itself. Each is looked at once, however many places refer to it."""
    if not isinstance(schema, dict) or id(schema) in done:
        return
    if id(schema) in open:
        raise NotNative("it contains itself")
    open.add(id(schema))
    below = [part for steps, part in parts(schema) if steps[0] not in DEFINITIONS]
    below += [resolved(schema["$ref"], root)] if "$ref" in schema else []
    for each in below:
        _refuse_recursion(each, root, open, done)
    done.add(id(schema))
