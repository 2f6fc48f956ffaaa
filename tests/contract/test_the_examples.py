"""The document's examples are what a server answers, and are as its schemas say."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest

from tests.clients import Api
from tests.contract.document import openapi, operations
from tests.contract.examples import captured

JSON = "application/json"
OPERATIONS = {operation["operationId"]: operation for _, operation in operations()}


def stored() -> list[tuple[str, dict[str, Any]]]:
    """Return the media types that have an example, each with where it stands."""
    found = []
    for name, operation in OPERATIONS.items():
        contents = {"request": operation.get("requestBody", {}), **operation["responses"]}
        found += [
            (f"{name} {at}", each["content"][JSON]) for at, each in contents.items() if JSON in each.get("content", {})
        ]
    return [(at, content) for at, content in found if "example" in content]


@pytest.mark.parametrize(("at", "content"), stored(), ids=[at for at, _ in stored()])
def test_each_is_as_its_schema_says(at: str, content: dict[str, Any]) -> None:
    schema = {**content["schema"], "components": openapi()["components"]}
    jsonschema_rs.Draft202012Validator(schema, validate_formats=True).validate(content["example"])


def test_a_server_answers_the_same_fields(api: Api) -> None:
    examples = captured(api)
    for name, answered in examples.items():
        shown = OPERATIONS[name]["responses"][answered["status"]]["content"][JSON]["example"]
        assert shape(shown) == shape(answered["response"]), name


def shape(value: Any) -> Any:
    """Return the names in an answer, without its values."""
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items()}
    return [shape(each) for each in value] if isinstance(value, list) else None
