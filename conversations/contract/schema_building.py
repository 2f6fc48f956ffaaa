"""How types become JSON Schemas: unions of objects with a discriminator, closed or open to kinds not known yet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, get_args, get_type_hints

from pydantic import GetJsonSchemaHandler, TypeAdapter, WithJsonSchema, with_config
from pydantic_core import CoreSchema
from typing_extensions import TypeAliasType

from conversations.json_types import JSONSchema

REFERENCE = "#/components/schemas/"

closed = with_config(extra="forbid")
"""For objects in requests: fields that are not named are refused."""

open_ended = with_config(extra="allow")
"""For objects whose other fields depend on what is not known here."""


@dataclass(frozen=True)
class TaggedBy:
    """Describes an annotated union as `oneOf` with a discriminator.

    Each member is an object whose field `name` is a constant. A member whose field is any other string (`unknown_tag`)
    stands for every kind that no constant names.
    """

    name: str = "type"

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JSONSchema:
        """Return the union's JSON Schema; `described` adds the mapping, once all members are known."""
        described = handler(schema)
        described["oneOf"] = described.pop("anyOf")
        described["discriminator"] = {"propertyName": self.name}
        return described


def members(union: TypeAliasType) -> tuple[type, ...]:
    """Return the types of the objects that a tagged union is made of."""
    [annotated, *_] = get_args(union.__value__)
    return get_args(annotated)


def tag_of(member: type) -> str:
    """Return the one `type` that an object of a tagged union may have."""
    [tag] = get_args(get_type_hints(member)["type"])
    return str(tag)


def unknown_tag(known: tuple[str, ...]) -> WithJsonSchema:
    """Describe a string that is none of the known tags, so that just one member of an open union fits each object."""
    return WithJsonSchema({"type": "string", "not": {"enum": list(known)}})


def open_enum(*known: str) -> WithJsonSchema:
    """Describe a string that has known values and may have others: Claude adds new ones at any time."""
    return WithJsonSchema({"anyOf": [{"type": "string", "enum": list(known)}, {"type": "string"}]})


def described(annotation: Any) -> tuple[JSONSchema, dict[str, JSONSchema]]:
    """Return a type's JSON Schema, and by their names those that it refers to under `REFERENCE`."""
    schema = TypeAdapter(annotation).json_schema(ref_template=REFERENCE + "{model}")
    definitions: dict[str, JSONSchema] = schema.pop("$defs", {})
    for union in _tagged([schema, definitions]):
        union["discriminator"]["mapping"] = _mapping(union, definitions)
    return changed(schema, _untitled), changed(definitions, _untitled)


def _tagged(part: object) -> Iterator[JSONSchema]:
    """Yield every union with a discriminator."""
    if isinstance(part, dict):
        if "discriminator" in part and "oneOf" in part:
            yield part
        part = list(part.values())
    for each in part if isinstance(part, list) else ():
        yield from _tagged(each)


def _mapping(union: JSONSchema, definitions: dict[str, JSONSchema]) -> dict[str, str]:
    name = union["discriminator"]["propertyName"]
    references = [member["$ref"] for member in union["oneOf"]]
    tags = {each: definitions[each.removeprefix(REFERENCE)]["properties"][name] for each in references}
    return {tag: each for each in references for tag in _constants(tags[each])}


def _constants(tag: JSONSchema) -> list[str]:
    return [tag["const"]] if "const" in tag else tag.get("enum", [])


def changed(part: Any, change: Callable[[JSONSchema], JSONSchema]) -> Any:
    """Return a part of a document with every object in it changed."""
    if isinstance(part, dict):
        return change({key: changed(value, change) for key, value in part.items()})
    return [changed(each, change) for each in part] if isinstance(part, list) else part


def _untitled(schema: JSONSchema) -> JSONSchema:
    """Return a schema without the title that pydantic makes of a name: generators would name types by it."""
    return {key: value for key, value in schema.items() if key != "title" or not isinstance(value, str)}
