"""The API of schemas: add versions, list the newest, show them, hide a name."""

from __future__ import annotations

import re
import uuid

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_serializer, extend_schema_view
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from conversations.api.later import Later
from conversations.api.parsers import ExactJSONParser
from conversations.api.queries import PageQuery, Queried
from conversations.api.renderers import ExactJSONRenderer
from conversations.api.requesters import user_of
from conversations.api.serializer_fields import Json, StrictSerializer, String
from conversations.content import block_checks
from conversations.contract.extraction_types import JsonSchemaObject, SchemaExample
from conversations.database import persistently
from conversations.errors import InvalidRequest
from conversations.json_types import JSONSchema
from conversations.models import User
from extraction import checks
from extraction.models import SchemaVersion
from extraction.services import schemas
from extraction.services.schemas import NewSchema

NAME = re.compile(r"[^\W_][\w .-]*")
EXAMPLES_LIMIT = 20
INSTRUCTIONS_LIMIT = 100_000  # characters


@extend_schema_serializer(component_name="NewSchema")
class SchemaRequestSerializer(StrictSerializer):
    """A schema, with further instructions for Claude."""

    name = String(max_length=100, help_text="Letters, digits, spaces and `_ . -`; starts with a letter or digit.")
    json_schema = Json(dict, shape=JsonSchemaObject)
    instructions = String(required=False, allow_blank=True, max_length=INSTRUCTIONS_LIMIT)
    examples = Json(list, shape=list[SchemaExample], required=False)

    def validate_name(self, name: str) -> str:
        """Return the name. Raises ValidationError for one that could be taken for an id, or for `name@version`."""
        if not NAME.fullmatch(name):
            raise serializers.ValidationError(
                "Must consist of letters, digits, spaces and _ . -, and start with a letter or digit."
            )
        try:
            uuid.UUID(name)
        except ValueError:
            return name
        raise serializers.ValidationError("Must not look like an id.")

    def validate_examples(self, examples: list[object]) -> list[object]:
        """Return the examples, each with text as its content. Raises ValidationError, or InvalidRequest."""
        if len(examples) > EXAMPLES_LIMIT:
            raise serializers.ValidationError(f"Must be at most {EXAMPLES_LIMIT}.")
        for index, each in enumerate(examples):
            if not isinstance(each, dict) or each.keys() != {"content", "data"}:
                raise serializers.ValidationError(f"{index}: Must have content and data, and nothing else.")
            blocks = block_checks.checked_blocks(each["content"], f"examples.{index}.content")
            if any(block["type"] != "text" for block in blocks):
                raise InvalidRequest.at(f"examples.{index}.content", "Must be text.")
        return examples


class SchemaSerializer(serializers.ModelSerializer[SchemaVersion]):
    """A version of a schema. Versions never change."""

    json_schema = Json(shape=JsonSchemaObject)
    examples = Json(shape=list[SchemaExample])
    notes = serializers.ListField(
        child=serializers.CharField(),
        help_text="Parts of the schema that Claude does not enforce; the platform checks them.",
    )

    class Meta:
        model = SchemaVersion
        fields = ("id", "name", "version", "json_schema", "instructions", "examples", "native", "notes", "created_at")


async def nameless(owner: User, json_schema: JSONSchema) -> SchemaVersion:
    """Return the row of a request's inline schema. Raise InvalidRequest if it is not a schema."""
    found = await checks.checked(owner.pk, json_schema)
    new = NewSchema(json_schema, found.native, found.notes)
    return await persistently(schemas.keep_nameless, user=owner, new=new)


@extend_schema_view(
    list=extend_schema(
        operation_id="listSchemas",
        summary="List schemas",
        description="Returns the newest version of each of the user's schemas, newest first, without hidden ones.",
    ),
    retrieve=extend_schema(
        operation_id="getSchema",
        summary="Get a schema",
        description="Returns a version of a schema. Versions never change.",
    ),
)
class SchemaViewSet(Queried, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[SchemaVersion]):
    """Add, list, show and hide a user's named schemas."""

    serializer_class = SchemaSerializer
    queryset = SchemaVersion.objects.none()
    queries = {"list": PageQuery, "versions": PageQuery}
    with_body = ("create",)
    parser_classes = (ExactJSONParser,)
    renderer_classes = (ExactJSONRenderer,)

    def get_queryset(self) -> QuerySet[SchemaVersion]:
        """Return the newest version under each of the user's names."""
        return schemas.listed(self.request.user)

    def get_object(self) -> SchemaVersion:
        """Return the version, if it is the user's. Raises NotFound otherwise."""
        return SchemaVersion.objects.filter(name__isnull=False).get_visible(self.request.user, self.kwargs["pk"])

    @extend_schema(
        operation_id="createSchema",
        summary="Create a schema or a version of it",
        description="Validates a schema, and stores it under a name; if the name exists, as its next version.",
        request=SchemaRequestSerializer,
        responses={201: SchemaSerializer},
    )
    def create(self, request: Request) -> Later:
        """Check a schema and keep it as the next version under its name."""
        serializer = SchemaRequestSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        asked, owner = serializer.validated_data, user_of(request)
        examples = asked.get("examples", [])

        async def then() -> dict[str, object]:
            found = await checks.checked(owner.pk, asked["json_schema"], examples, field="json_schema")
            new = NewSchema(asked["json_schema"], found.native, found.notes, asked.get("instructions", ""), examples)
            row = await persistently(schemas.add_version, user=owner, name=asked["name"], new=new)
            return dict(SchemaSerializer(row).data)

        return Later(request, then, status=201)

    @extend_schema(
        operation_id="hideSchema",
        summary="Hide a schema",
        description="Hides the schema's name from lists. All its versions can still be read and used.",
        responses={204: None},
    )
    def destroy(self, request: Request, pk: str) -> Response:
        """Leave a name out of lists."""
        schemas.hide(user=user_of(request), id=self.get_object().pk)
        return Response(status=204)

    @extend_schema(
        operation_id="listSchemaVersions",
        summary="List a schema's versions",
        description="Returns all versions of the schema, newest first.",
        responses={200: SchemaSerializer(many=True)},
    )
    @action(detail=True)
    def versions(self, request: Request, pk: str) -> Response:
        """Return all versions under a name."""
        found = self.get_object()
        page = self.paginate_queryset(SchemaVersion.objects.visible_to(request.user).filter(name=found.name))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)
