"""Extracting JSON from text and images, validated against a schema."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from conversations.models import Usage
from conversations.sandbox.server import Sandbox
from tests.clients import Api

NAME_AND_EMAIL = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "email": {"type": "string"}},
    "required": ["name", "email"],
    "additionalProperties": False,
}
# Allows additional properties, which structured outputs can't express.
BY_PROMPT = {**NAME_AND_EMAIL, "additionalProperties": True}
JANE = 'Extract name and email from: "Contact Jane at jane@example.com"'


def extract(api: Api, content: Any, schema: Any = NAME_AND_EMAIL, **fields: Any) -> dict[str, Any]:
    response = api.post("extraction/extractions/?wait=true", {"schema": schema, "content": content, **fields})
    assert response.status_code == 201, response.text
    extraction: dict[str, Any] = response.json()
    assert Usage.objects.filter(user=api.user).count() == extraction["usage"]["requests"] >= len(extraction["attempts"])
    return extraction


@pytest.mark.parametrize(("schema", "native"), [(NAME_AND_EMAIL, True), (BY_PROMPT, False)])
def test_it_finds_jane(api: Api, schema: dict[str, Any], native: bool) -> None:
    extraction = extract(api, JANE, schema)
    assert extraction["status"] == "succeeded"
    assert extraction["data"] == {"name": "Jane", "email": "jane@example.com"}
    assert [attempt["native"] for attempt in extraction["attempts"]] == [native]
    assert float(extraction["cost"]) > 0


@pytest.mark.parametrize("wrapping", ["fence", "prose"])
def test_it_finds_the_json_in_a_fence_and_in_prose(api: Api, wrapping: str) -> None:
    extraction = extract(api, f"{JANE} [[sandbox: {wrapping}]]", BY_PROMPT)
    assert extraction["data"] == {"name": "Jane", "email": "jane@example.com"}


def test_it_asks_by_prompt_where_the_model_is_not_held_to_schemas(api: Api, sandbox: Sandbox) -> None:
    extract(api, JANE, BY_PROMPT)
    body = sandbox.requests[-1].body
    assert "output_config" not in body
    assert json.dumps(BY_PROMPT) in body["system"]


def test_an_answer_that_never_fits_is_invalid_after_two_attempts(api: Api, sandbox: Sandbox) -> None:
    extraction = extract(api, f'{JANE} [[sandbox: json="{{\\"name\\": 7}}"; always]]')
    assert extraction["status"] == "invalid"
    assert len(extraction["attempts"]) == 2
    assert {problem["path"] for problem in extraction["problems"]} == {"", "/name"}
    again = sandbox.requests[-1].body["messages"][-1]["content"]
    assert '7 is not of type "string"' in again
    assert extraction["usage"]["requests"] == 2


def test_an_answer_without_json_is_invalid(api: Api) -> None:
    extraction = extract(api, f'{JANE} [[sandbox: json="no"]]', max_attempts=1)
    assert extraction["status"] == "invalid"
    assert extraction["data"] is None


def test_a_truncated_answer_is_told_apart(api: Api) -> None:
    extraction = extract(api, f'{JANE} [[sandbox: json="{{\\"name\\": \\"Ja"; stop_reason=max_tokens; always]]')
    assert extraction["status"] == "truncated"
    assert len(extraction["attempts"]) == 1
    assert extraction["usage"]["output_tokens"] > 0


def test_a_refused_answer_is_told_apart(api: Api) -> None:
    extraction = extract(api, f"{JANE} [[sandbox: refusal=bio]]")
    assert extraction["status"] == "refused"
    assert extraction["usage"]["requests"] == 1


def test_a_failure_is_an_error_for_who_waits(api: Api) -> None:
    body = {"schema": NAME_AND_EMAIL, "content": f"{JANE} [[sandbox: error=529; no_retry]]"}
    response = api.post("extraction/extractions/?wait=true", body)
    assert response.status_code == 503
    error = response.json()["error"]
    assert error["type"] == "overloaded_error"
    extraction = api.get(f"extraction/extractions/{error['details']['extraction']}/").json()
    assert (extraction["status"], extraction["attempts"]) == ("failed", [])


def test_an_answer_that_is_cut_is_kept_and_booked(api: Api) -> None:
    body = {"schema": NAME_AND_EMAIL, "content": f"{JANE} [[sandbox: cut_after=1]]"}
    response = api.post("extraction/extractions/?wait=true", body)
    assert response.status_code == 502
    id = response.json()["error"]["details"]["extraction"]
    [attempt] = api.get(f"extraction/extractions/{id}/").json()["attempts"]
    assert attempt["content"][0]["text"]
    assert Usage.objects.get(user=api.user).source == "estimate"


def test_enum_values_are_spelt_as_the_schema_has_them(api: Api) -> None:
    schema = {
        "type": "object",
        "properties": {"colour": {"enum": ["Red", "Blue"]}},
        "required": ["colour"],
        "additionalProperties": False,
    }
    extraction = extract(api, '[[sandbox: json="{\\"colour\\": \\"BLUE\\"}"]]', schema)
    assert extraction["data"] == {"colour": "Blue"}


def test_it_takes_images(api: Api, sandbox: Sandbox, png: bytes) -> None:
    source = {"type": "base64", "media_type": "image/png", "data": base64.b64encode(png).decode()}
    extraction = extract(api, [{"type": "image", "source": source}, {"type": "text", "text": JANE}])
    assert extraction["status"] == "succeeded"
    assert sandbox.requests[-1].body["messages"][0]["content"][0]["source"] == source


def test_it_does_not_have_to_be_waited_for(api: Api) -> None:
    response = api.post("extraction/extractions/", {"schema": NAME_AND_EMAIL, "content": JANE})
    assert response.status_code == 201
    assert response.json()["status"] in ("queued", "running")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"content": JANE}, 400),
        ({"schema": NAME_AND_EMAIL}, 400),
        ({"schema": {"type": "nonsense"}, "content": JANE}, 400),
        ({"schema": [], "content": JANE}, 400),
        ({"schema": {"$ref": "https://example.com/schema"}, "content": JANE}, 400),
        ({"schema": "01a2", "content": JANE}, 404),
        ({"schema": NAME_AND_EMAIL, "content": JANE, "max_attempts": 0}, 400),
        ({"schema": NAME_AND_EMAIL, "content": JANE, "surprise": 1}, 400),
        ({"schema": NAME_AND_EMAIL, "content": ""}, 400),
        ({"schema": NAME_AND_EMAIL, "content": [{"type": "tool_result", "tool_use_id": "x", "content": "y"}]}, 400),
    ],
)
def test_bad_requests_are_refused_and_leave_nothing(api: Api, body: dict[str, Any], status: int) -> None:
    response = api.post("extraction/extractions/", body)
    assert response.status_code == status, response.text
    assert api.get("extraction/extractions/").json()["results"] == []


def test_nobody_sees_anothers_extraction(api: Api, other: Api) -> None:
    extraction = extract(api, JANE)
    assert other.get(f"extraction/extractions/{extraction['id']}/").status_code == 404
    assert other.get("extraction/extractions/").json()["results"] == []
