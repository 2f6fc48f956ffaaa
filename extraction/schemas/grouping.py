"""What of a schema is asked for in one request: fields that belong together, with evidence for their values."""

from __future__ import annotations

from collections.abc import Iterator

from extraction.extracting.plan import Group
from extraction.schemas.dialect import NoSuchPlace, Schema, changed_references, modern, parts, resolved
from extraction.schemas.native import DEFINITIONS, OPEN, fit

GROUP_LEAVES = 150
"""The maximal number of values of a request: the largest known schemas fail on every model in a single request."""
MOST_GROUPS = 12  # maximal number of requests for one schema
MOST_LEAVES = 10_000  # are counted; definitions that are used twice each have as many values as can't be counted
COMBINED = frozenset({"allOf", "anyOf", "oneOf", "not", "if", "$ref", "$dynamicRef"})

EVIDENCE: Schema = {
    "type": "array",
    "description": "For each string, number and boolean in data, in their order: what it rests on.",
    "items": {
        "type": "object",
        "properties": {
            "path": {"type": "string", "description": "The JSON Pointer of the value in data."},
            "quote": {"type": "string", "description": "The words of the source, as they stand there."},
        },
        "required": ["path", "quote"],
        "additionalProperties": False,
    },
}


def groups(schema: Schema, *, evidence: bool, partial: bool) -> list[Group]:
    """Return what the requests of an extraction ask for: the whole schema, or some of its fields each.

    With `evidence` each grammar includes the quotes. With `partial` each request is about a part of a document, which
    need not have every field.
    """
    wanted = modern(schema)
    if partial:
        wanted = relaxed(wanted)
    divided = list(_divided(wanted))
    if len(divided) > 1:  # another format for each would be another prefix for Claude's cache (claude-api.md 12)
        return [_group(each, None) for each in divided]
    grammar = fit(wanted).grammar
    return [_group(wanted, with_evidence(grammar) if grammar is not None and evidence else grammar)]


def _group(schema: Schema, grammar: Schema | None) -> Group:
    size = _Size(schema)
    return Group(schema, grammar, min(size.of(schema), MOST_LEAVES), size.lists)


def _divided(root: Schema) -> Iterator[Schema]:
    """Yield the schema, or objects that have some of its fields each."""
    named = root.get("properties")
    size = _Size(root)
    fits = size.of(root) <= GROUP_LEAVES or size.of(root) > GROUP_LEAVES * MOST_GROUPS
    if fits or not isinstance(named, dict) or not _is_divisible(root):
        yield root
        return
    together: list[str] = []
    leaves = 0
    for name, each in named.items():
        if together and leaves + size.of(each) > GROUP_LEAVES:
            yield _with_fields(root, together)
            together, leaves = [], 0
        together.append(name)
        leaves += size.of(each)
    yield _with_fields(root, together)


def _is_divisible(root: Schema) -> bool:
    """Tell whether each field of an object can be asked for without the others."""
    if root.keys() & (COMBINED | OPEN) or root.get("additionalProperties") not in (None, False):
        return False
    known = tuple(f"#/{name}/" for name in DEFINITIONS)
    return all(ref.startswith(known) for ref in _references(root))


def _references(schema: object) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"]
        for _, each in parts(schema):
            yield from _references(each)


def _with_fields(root: Schema, names: list[str]) -> Schema:
    kept = {key: root[key] for key in ("title", "description", *DEFINITIONS) if key in root}
    return {
        **kept,
        "type": "object",
        "properties": {name: root["properties"][name] for name in names},
        "required": [name for name in root.get("required", ()) if name in names],
        "additionalProperties": False,
    }


class _Size:
    """Counts the values that data of a schema has, the items of a list once."""

    def __init__(self, root: Schema) -> None:
        self._root = root
        self._known: dict[int, int] = {}
        self.lists = False
        """Whether there is a list, or an object with any number of fields."""

    def of(self, schema: object) -> int:
        """Return the number of values; a schema within itself counts as one."""
        if not isinstance(schema, dict):  # true or false, which describe no value of their own
            return 0
        if id(schema) not in self._known:
            self._known[id(schema)] = 1
            self._known[id(schema)] = min(self._counted(schema), MOST_LEAVES)
        return self._known[id(schema)]

    def _counted(self, schema: Schema) -> int:
        self.lists = self.lists or bool(schema.keys() & {"items", "prefixItems"}) or _is_open(schema)
        below = [each for steps, each in parts(schema) if steps[0] not in DEFINITIONS]
        if isinstance(schema.get("$ref"), str):
            try:
                below.append(resolved(schema["$ref"], self._root))
            except NoSuchPlace:  # a reference by name
                self.lists = True
        return max(1, sum(map(self.of, below)))


def _is_open(schema: Schema) -> bool:
    kinds = schema.get("type", [])
    return schema.get("additionalProperties") not in (None, False) or "array" in kinds or kinds == []


def relaxed(schema: Schema) -> Schema:
    """Return a schema by which no field is required, but within lists: a part of a document need not have them."""
    if not isinstance(schema, dict):
        return schema
    rest = {key: each for key, each in schema.items() if key not in ("required", "minItems", "minProperties")}
    if isinstance(rest.get("properties"), dict):
        rest["properties"] = {name: relaxed(each) for name, each in rest["properties"].items()}
    return rest


def with_evidence(grammar: Schema) -> Schema:
    """Return the schema of an object that has the data, and what its values rest on."""
    definitions = {key: grammar[key] for key in DEFINITIONS if key in grammar}
    own = {key: each for key, each in grammar.items() if key not in definitions}
    moved = changed_references({"own": own, **definitions}, _moved)
    return {
        "type": "object",
        "properties": {"data": moved.pop("own"), "evidence": EVIDENCE},
        "required": ["data", "evidence"],
        "additionalProperties": False,
        **moved,
    }


def _moved(ref: str) -> str:
    """Return a reference into a schema as one into the object that has it as its data."""
    if ref == "#" or not ref.startswith("#/") or ref.split("/")[1] in DEFINITIONS:
        return ref.replace("#", "#/properties/data") if ref == "#" else ref
    return f"#/properties/data{ref[1:]}"
