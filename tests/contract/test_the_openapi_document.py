"""The OpenAPI document is complete: every operation has a name, its errors, and types for all values."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, get_args

import drf_spectacular
import jsonschema_rs
import pytest
from drf_spectacular.renderers import OpenApiJsonRenderer

from conversations.content.block_checks import KINDS, SOURCES
from conversations.content.transcript import STRING_DELTAS
from conversations.contract import event_types, input_blocks
from conversations.errors import ClaudeError, ColloquyError
from conversations.models import Turn
from tests.contract.document import component, openapi, operations

ANONYMOUS = {"POST /api/auth/login/"}
STREAM = "text/event-stream"
ERROR = {"$ref": "#/components/schemas/ErrorResponse"}


def test_it_is_openapi_3_1() -> None:
    assert openapi()["openapi"].startswith("3.1")
    # As `drf_spectacular.validation` does, but by a faster validator.
    specification = Path(str(drf_spectacular.__file__)).parent / "validation" / "openapi_3_1_schema.json"
    rendered = json.loads(OpenApiJsonRenderer().render(openapi()))
    jsonschema_rs.Draft202012Validator(json.loads(specification.read_text())).validate(rendered)


# Generating the document takes a second: only tests that need it do so.
def test_every_operation_has_a_summary_a_name_and_a_tag(subtests: pytest.Subtests) -> None:
    for name, operation in operations():
        with subtests.test(name):
            assert re.fullmatch(r"[a-z]+([A-Z][a-z]+)*", operation["operationId"])
            assert operation["summary"]
            assert not operation["summary"].endswith(".")
            assert operation["description"].endswith(".")
            assert {tag["name"] for tag in openapi()["tags"]} >= set(operation["tags"])


def test_every_operation_says_who_may_call_it(subtests: pytest.Subtests) -> None:
    for name, operation in operations():
        with subtests.test(name):
            schemes = {scheme for each in operation.get("security", ()) for scheme in each}
            assert ("token" in schemes) == (name not in ANONYMOUS)


def test_every_operation_tells_its_errors_in_claudes_shape(subtests: pytest.Subtests) -> None:
    for name, operation in operations():
        with subtests.test(name):
            tells_its_errors(name, operation)


def tells_its_errors(name: str, operation: dict[str, Any]) -> None:
    expected = {"400", "406", "503"} | (set() if name in ANONYMOUS else {"401", "429"})
    expected |= {"404"} if "{" in name else set()
    expected |= {"413", "415"} if "requestBody" in operation else set()
    assert expected <= operation["responses"].keys()
    for status, response in operation["responses"].items():
        if status >= "400":
            assert response["description"]
            assert response["content"] == {
                "application/json": {"schema": {"$ref": "#/components/schemas/ErrorResponse"}}
            }


def test_a_turns_creation_has_three_answers() -> None:
    responses = dict(operations())["POST /api/conversations/{id}/turns/"]["responses"]
    assert responses["201"]["content"].keys() == {"application/json"}
    assert responses["201"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Turn"}
    assert responses["200"]["content"].keys() == {STREAM}
    assert responses["200"]["content"][STREAM]["schema"] == {"$ref": "#/components/schemas/StreamEvent"}


def test_every_kind_of_block_that_is_taken_is_described() -> None:
    described = component("ContentBlockParam")["discriminator"]["mapping"]
    assert described.keys() == KINDS.keys() - {"tool_reference"}
    for kind, reference in described.items():
        schema = component(reference.rpartition("/")[2])
        required, optional = KINDS[kind]
        assert set(schema["required"]) == required | {"type"}
        assert schema["properties"].keys() == required | optional | {"type"}
        assert schema["additionalProperties"] is False


def test_every_source_that_is_taken_is_described() -> None:
    members = [input_blocks.DocumentBlockParam, input_blocks.ImageBlockParam]
    described: dict[str, str] = {}
    for member in members:
        described |= component(member.__name__)["properties"]["source"]["discriminator"]["mapping"]
    assert described.keys() == SOURCES.keys()


def test_what_is_not_known_yet_passes_through() -> None:
    for union in ("ContentBlock", "TurnEvent", "Delta", "Citation"):
        members = [each["$ref"].rpartition("/")[2] for each in component(union)["oneOf"]]
        unknown = component(next(each for each in members if each.startswith("Unknown")))
        known = component(union)["discriminator"]["mapping"].keys()
        assert unknown["properties"]["type"]["not"]["enum"] == list(known)
        assert unknown["additionalProperties"] is True


def test_deltas_that_are_strings_are_described() -> None:
    assert component("Delta")["discriminator"]["mapping"].keys() >= STRING_DELTAS.keys()


def test_statuses_are_enums() -> None:
    assert component("Turn")["properties"]["status"]["enum"] == [
        each for each in Turn.Status.values if each != "pending"
    ]
    assert set(get_args(event_types.Status)) == set(Turn.TERMINAL)


def test_every_type_of_error_that_we_raise_is_named_and_others_may_come() -> None:
    known, others = component("ErrorType")["anyOf"]
    classes: list[type[ColloquyError]] = [
        ColloquyError,
        *ColloquyError.__subclasses__(),
        *ClaudeError.__subclasses__(),
    ]
    raised = {each.default_type for each in classes}
    assert raised <= set(known["enum"])
    assert others == {"type": "string"}  # Claude's future values


def test_nothing_that_has_a_type_is_free_form() -> None:
    settings = component("Conversation")["properties"]
    for name in ("system", "thinking", "tools", "tool_choice"):
        assert "$ref" in str(settings[name]), name
    turn = component("Turn")["properties"]
    for name in ("messages", "usage", "error", "stop_details", "stop_reason"):
        assert "$ref" in str(turn[name]), name


def test_each_event_of_a_stream_is_described_with_the_fields_of_its_frame() -> None:
    frames = component("StreamEvent")["discriminator"]["mapping"]
    assert frames.keys() == component("TurnEvent")["discriminator"]["mapping"].keys() | {"message"}
    for name, reference in component("TurnEvent")["discriminator"]["mapping"].items():
        frame = component(frames[name].rpartition("/")[2])["properties"]
        assert frame["event"]["const"] == name
        assert frame["data"]["contentMediaType"] == "application/json"
        assert frame["data"]["contentSchema"] == {"$ref": reference}


def test_what_a_response_always_has_is_required() -> None:
    for name in ("Conversation", "Turn", "Message", "UsageRecord", "Attachment"):
        assert set(component(name)["required"]) == component(name)["properties"].keys()
