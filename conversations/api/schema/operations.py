"""The description of operations: drf-spectacular's, with the contract's types and errors."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiResponse
from rest_framework.serializers import ModelSerializer
from typing_extensions import TypedDict

from conversations.api.queries import Queried
from conversations.api.schema.components import Shape, register
from conversations.api.schema.error_components import HEADERS, errors, statuses_of
from conversations.api.serializer_fields import StrictSerializer
from conversations.json_types import JSONSchema

Direction = Literal["request", "response"]
JSON = "application/json"
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")


class TokenScheme(OpenApiAuthenticationExtension):
    """Describes the platform's tokens."""

    target_class = "conversations.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> JSONSchema:
        """Return the scheme: `Authorization: Bearer`."""
        return {"type": "http", "scheme": "bearer"}


class Example(TypedDict):
    """An example: the request to a real server, if any, and the response."""

    status: str
    request: object
    response: object


@cache
def _examples() -> dict[str, Example]:
    """Return the examples by operation ids; `python -m tests.contract --examples` writes them."""
    examples: dict[str, Example] = json.loads(Path(__file__).with_name("examples.json").read_text())
    return examples


def _shows_every_field(serializer: object) -> bool:
    return isinstance(serializer, ModelSerializer) or getattr(serializer, "shows_every_field", False)


class OperationSchema(AutoSchema):
    """Describes an operation, including its errors."""

    def get_operation(self, *args: Any) -> JSONSchema | None:
        """Add the operation's example."""
        operation: JSONSchema | None = super().get_operation(*args)
        example = _examples().get(self.get_operation_id())
        if operation and example:
            operation["responses"][example["status"]]["content"][JSON]["example"] = example["response"]
            if example["request"] is not None:
                operation["requestBody"]["content"][JSON]["example"] = example["request"]
        return operation

    def get_tags(self) -> list[str]:
        """Return the first segment of the path."""
        return [self.path.removeprefix("/api/").split("/")[0]]

    def get_override_parameters(self) -> list[Any]:
        """Return the query parameters that the view declares."""
        query = self.view.query_class(self.method)() if isinstance(self.view, Queried) else None
        return [query] if query and query.fields else []

    def _get_response_bodies(self, direction: Direction = "response") -> JSONSchema:
        """Add the errors of every operation of its kind to those that the view declares."""
        responses: JSONSchema = super()._get_response_bodies(direction)
        for (status, media_type), error in errors(*self._error_statuses()).items():
            if str(status) not in responses:
                responses[str(status)] = self._get_response_for_code(error, str(status), (media_type,), direction)
        for status, headers in HEADERS.items():
            if str(status) in responses:
                responses[str(status)]["headers"] = headers
        return dict(sorted(responses.items()))

    def _get_request_body(self, direction: Direction = "request") -> JSONSchema | None:
        """Include the body of a DELETE, which drf-spectacular omits, if the view declares one."""
        if self.method == "DELETE" and self.get_request_serializer() is not None:
            self.method = "POST"
            try:
                return self._get_request_body(direction)
            finally:
                self.method = "DELETE"
        described: JSONSchema | None = super()._get_request_body(direction)
        return described

    def _map_basic_serializer(self, serializer: object, direction: Direction) -> JSONSchema:
        """Declare that unknown fields are refused, and which fields a response always has."""
        described: JSONSchema = super()._map_basic_serializer(serializer, direction)
        if direction == "request" and isinstance(serializer, StrictSerializer):
            described["additionalProperties"] = False
        if direction == "response" and _shows_every_field(serializer):
            described["required"] = sorted(described["properties"])
        return described

    def _error_statuses(self) -> list[int]:
        return statuses_of(
            authenticated=bool(self.view.get_authenticators()),
            unsafe=self.method in UNSAFE,
            has_body=bool(self._get_request_body()),
            has_id="{" in self.path,
        )

    def _get_response_for_code(
        self,
        serializer: object,
        status_code: str,
        media_types: Sequence[str] | None = None,
        direction: Direction = "response",
    ) -> JSONSchema:
        """Describe a response whose body is a `Shape` by its type."""
        given = serializer.response if isinstance(serializer, OpenApiResponse) else serializer
        if isinstance(given, Shape):
            for annotation in given.also:
                register(self.registry, annotation)
            described = register(self.registry, given.annotation)
            if isinstance(serializer, OpenApiResponse):
                serializer = OpenApiResponse(described, serializer.description, serializer.examples)
            else:
                serializer = described
        found: JSONSchema = super()._get_response_for_code(serializer, status_code, media_types, direction)
        return found
