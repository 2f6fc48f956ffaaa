"""The one dialect that schemas are worked with: draft 2020-12, into which draft-07's own forms are translated."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import quote, unquote

from conversations.json_types import JSONSchema

Schema = JSONSchema
Path = tuple[str, ...]

ONE = frozenset(
    [
        "additionalItems",
        "additionalProperties",
        "contains",
        "contentSchema",
        "else",
        "if",
        "items",
        "not",
        "propertyNames",
        "then",
        "unevaluatedItems",
        "unevaluatedProperties",
    ]
)
"""Keywords whose value is a schema."""
LISTS = frozenset(["allOf", "anyOf", "items", "oneOf", "prefixItems"])
"""Keywords whose value is a list of schemas."""
MAPS = frozenset(
    ["$defs", "definitions", "dependencies", "dependentSchemas", "patternProperties", "properties"],
)
"""Keywords whose value is an object of schemas."""

UNQUOTED = "!$&'()*+,;=:@"
"""The characters allowed unescaped in a URI fragment (RFC 3986, 3.5), besides letters and digits."""


class NoSuchPlace(Exception):
    """A reference leads to no schema in its document."""


def parts(schema: Schema) -> Iterator[tuple[Path, object]]:
    """Yield what stands in a schema where schemas stand, each with its path from there.

    The values of `default`, `const`, `enum` and `examples` are data, not schemas, whatever they look like.
    """
    for keyword, value in schema.items():
        if keyword in ONE and not isinstance(value, list):
            yield (keyword,), value
        elif keyword in LISTS and isinstance(value, list):
            yield from (((keyword, str(index)), each) for index, each in enumerate(value))
        elif keyword in MAPS and isinstance(value, dict):
            yield from (((keyword, name), each) for name, each in value.items())


def every_schema(root: Schema) -> Iterator[tuple[Path, Schema]]:
    """Yield every schema of a document with its path, once, and those that only a reference leads to."""
    waiting: list[tuple[Path, object]] = [((), root)]
    seen: set[int] = set()
    while waiting:
        path, schema = waiting.pop()
        if not isinstance(schema, dict) or id(schema) in seen:
            continue
        seen.add(id(schema))
        yield path, schema
        waiting.extend(((*path, *steps), each) for steps, each in parts(schema))
        ref = schema.get("$ref")
        if isinstance(ref, str) and ref.startswith("#/"):
            waiting.append((tuple(pointer_steps(ref)), at_pointer(ref, root)))


def pointer_steps(ref: str) -> list[str]:
    """Return the steps of a reference by JSON Pointer (`#/$defs/a~1b`)."""
    return [step.replace("~1", "/").replace("~0", "~") for step in unquote(ref).removeprefix("#/").split("/")]


def pointer(path: Iterable[str | int]) -> str:
    """Return the JSON Pointer of a path."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def changed_references(value: object, change: Callable[[str], str]) -> Any:
    """Return a schema whose references are changed, wherever they stand in it."""
    if isinstance(value, list):
        return [changed_references(each, change) for each in value]
    if not isinstance(value, dict):
        return value
    changed = {key: changed_references(each, change) for key, each in value.items()}
    if isinstance(value.get("$ref"), str):
        changed["$ref"] = change(value["$ref"])
    return changed


def at_step(step: str, found: object) -> object:
    """Return what a step of a JSON Pointer leads to, or None where there is nothing."""
    if isinstance(found, dict):
        return found.get(step)
    if isinstance(found, list) and step.isdecimal() and int(step) < len(found):
        return found[int(step)]
    return None


def at_pointer(ref: str, root: Schema) -> object:
    """Return what a reference by JSON Pointer leads to, or None where there is nothing."""
    found: object = root
    for step in pointer_steps(ref) if ref != "#" else ():
        found = at_step(step, found)
    return found


def resolved(ref: str, root: Schema) -> Any:
    """Return the schema that a local reference by JSON Pointer leads to. Raises NoSuchPlace."""
    found = at_pointer(ref, root) if ref == "#" or ref.startswith("#/") else None
    if not isinstance(found, (dict, bool)):
        raise NoSuchPlace(ref)
    return found


def modern(schema: Schema) -> Schema:
    """Return the same schema in the words of draft 2020-12; what is malformed is left as it is.

    A tuple's `items: [...]` becomes `prefixItems`, its `additionalItems` become `items`, `dependencies` become
    `dependentRequired` and `dependentSchemas`, and an `$id` that is a fragment becomes an `$anchor`. References to
    these places are changed accordingly.
    """
    translated: Schema = _modern(schema, schema)
    return translated


def _modern(schema: object, root: object) -> Any:
    if not isinstance(schema, dict):
        return schema
    said = {keyword: _modern_value(keyword, value, root) for keyword, value in schema.items() if keyword != "$schema"}
    _translate_tuple(said)
    _translate_dependencies(said)
    _translate_anchor(said)
    return said


def _modern_value(keyword: str, value: object, root: object) -> object:
    if keyword in MAPS and isinstance(value, dict):
        return {name: _modern(each, root) for name, each in value.items()}
    if keyword in LISTS and isinstance(value, list):
        return [_modern(each, root) for each in value]
    if keyword == "$ref" and isinstance(value, str) and value.startswith("#/"):
        return _moved(value, root)
    return _modern(value, root) if keyword in ONE else value


def _translate_tuple(said: Schema) -> None:
    """Translate a tuple. Without one, `additionalItems` says nothing, but a reference may lead there."""
    if isinstance(said.get("items"), list):
        said["prefixItems"] = said.pop("items")
        rest = said.pop("additionalItems", None)
        if rest is not None:
            said["items"] = rest


def _translate_dependencies(said: Schema) -> None:
    dependencies = said.get("dependencies")
    if not isinstance(dependencies, dict):
        return
    del said["dependencies"]
    names = {name: each for name, each in dependencies.items() if isinstance(each, list)}
    schemas = {name: each for name, each in dependencies.items() if name not in names}
    for keyword, translated in (("dependentRequired", names), ("dependentSchemas", schemas)):
        if translated:
            said[keyword] = {**translated, **said.get(keyword, {})}


def _translate_anchor(said: Schema) -> None:
    name = said.get("$id")
    if isinstance(name, str) and name.startswith("#"):
        del said["$id"]
        if len(name) > 1:
            said["$anchor"] = name[1:]


def _moved(ref: str, root: object) -> str:
    """Return a reference by JSON Pointer into the original document as one into its translation."""
    steps: list[str] = []
    found: object = root
    named = False  # whether the next step is a name that the schema's author chose, or an index
    for step in pointer_steps(ref):
        steps.append(step if named or not isinstance(found, dict) else _keyword(step, found))
        named = not named and step in MAPS | LISTS and not (step in ONE and isinstance(at_step(step, found), dict))
        found = at_step(step, found)
    return "#/" + "/".join(quote(step.replace("~", "~0").replace("/", "~1"), safe=UNQUOTED) for step in steps)


def _keyword(keyword: str, schema: Schema) -> str:
    if keyword == "dependencies":
        return "dependentSchemas"
    if isinstance(schema.get("items"), list):
        return {"items": "prefixItems", "additionalItems": "items"}.get(keyword, keyword)
    return keyword
