"""Types of `conversations.contract` as named components of a document, and in responses and fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ComponentRegistry, ResolvedComponent
from typing_extensions import TypeAliasType, is_typeddict

from conversations.contract.schema_building import REFERENCE, changed, described
from conversations.json_types import JSONSchema


@dataclass(frozen=True)
class Shape:
    """A type in a place where drf-spectacular expects a serializer."""

    annotation: object
    also: tuple[object, ...] = ()
    """Other types that the document is to have: what the text in it is, for instance."""


def register(registry: ComponentRegistry, annotation: Any) -> JSONSchema:
    """Add a type and the types in it to the components. Return its schema: a reference, if it has a name."""
    if not isinstance(annotation, TypeAliasType) and not is_typeddict(annotation):
        schema, definitions = described(annotation)
        _register(registry, definitions)
        return schema
    name: str = annotation.__name__
    if _component(name) not in registry:  # to describe what hundreds of responses have takes most of the time
        schema, definitions = described(annotation)
        _register(registry, {**definitions, name: schema})
    return {"$ref": REFERENCE + name}


def _register(registry: ComponentRegistry, definitions: Mapping[str, JSONSchema]) -> None:
    for name, definition in definitions.items():
        registry.register_on_missing(_component(name, definition))


def _component(name: str, schema: JSONSchema | None = None) -> ResolvedComponent:
    return ResolvedComponent(name=name, type=ResolvedComponent.SCHEMA, schema=schema, object=name)


def without_enum_ids(result: JSONSchema, **options: object) -> JSONSchema:
    """Remove the marks by which drf-spectacular's own hook, which is not used, would name enums."""
    stripped: JSONSchema = changed(result, lambda part: {k: v for k, v in part.items() if k != "x-spec-enum-id"})
    return stripped


class TypedJson(OpenApiSerializerFieldExtension):
    """Describes a `Json` field by its declared type."""

    target_class = "conversations.api.serializer_fields.Json"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> JSONSchema:
        """Return the schema of the field's type; any JSON if it declares none."""
        annotation = self.target.shape
        return {} if annotation is None else register(auto_schema.registry, annotation)
