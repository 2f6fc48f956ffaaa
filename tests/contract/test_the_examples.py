"""The document's examples match its schemas and a server's responses."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest

from tests.clients import Api
from tests.contract.document import openapi, operations
from tests.contract.examples import captured

JSON = "application/json"


def stored() -> list[tuple[str, dict[str, Any]]]:
    """Return the media types that have an example, each with its location."""
    found = []
    for _, operation in operations():
        name = operation["operationId"]
        contents = {"request": operation.get("requestBody", {}), **operation["responses"]}
        found += [
            (f"{name} {at}", each["content"][JSON]) for at, each in contents.items() if JSON in each.get("content", {})
        ]
    return [(at, content) for at, content in found if "example" in content]


def test_each_is_as_its_schema_says(subtests: pytest.Subtests) -> None:
    for at, content in stored():
        with subtests.test(at):
            schema = {**content["schema"], "components": openapi()["components"]}
            jsonschema_rs.Draft202012Validator(schema, validate_formats=True).validate(content["example"])


def test_a_server_answers_the_same_fields(api: Api) -> None:
    examples = captured(api)
    documented = {operation["operationId"]: operation for _, operation in operations()}
    for name, answered in examples.items():
        shown = documented[name]["responses"][answered["status"]]["content"][JSON]["example"]
        assert shape(shown) == shape(answered["response"]), name


def shape(value: Any) -> Any:
    """Return the field names of a response, without the values."""
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items()}
    return [shape(each) for each in value] if isinstance(value, list) else None
