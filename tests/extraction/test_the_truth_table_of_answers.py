"""The result of each kind of answer, with the schema enforced by structured outputs or only asked for."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import pytest

from tests.clients import Api
from tests.extraction.test_following_extractions import events_of

HELD: dict[str, Any] = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "kind": {"enum": ["Person", "Firm"]}},
    "required": ["name", "kind"],
    "additionalProperties": False,
}
# Structured outputs have no patternProperties: this schema is sent as instructions.
DESCRIBED = {**HELD, "patternProperties": {"^x-": {"type": "string"}}}
JANE = {"name": "Jane", "kind": "Person"}
GOOD = json.dumps(JANE)


class Row(NamedTuple):
    """An answer and its result: status, data, the path of a problem, and the numbers of attempts and requests."""

    answer: str
    status: str
    data: Any
    problem: str | None = None
    attempts: int = 1
    requests: int = 1
    directives: str = "always"


TABLE = {
    "valid": Row(GOOD, "succeeded", JANE),
    "in a fence": Row(f"```json\n{GOOD}\n```", "succeeded", JANE),
    "in the second fence": Row(f'```json\n{{"name": 1}}\n```\nNo:\n```json\n{GOOD}\n```', "succeeded", JANE),
    "in prose with brackets": Row(f"As [1] says {{so}}: {GOOD} (see [2]).", "succeeded", JANE),
    "in an object of another name": Row(f'{{"result": {GOOD}}}', "succeeded", JANE),
    "truncated": Row('{"name": "Ja', "truncated", None, "", 1, 2, "stop_reason=max_tokens; always"),
    "refused": Row("", "refused", None, "", 1, 1, "refusal=bio; always"),
    "of a wrong type": Row('{"name": 7, "kind": "Firm"}', "invalid", {"name": 7, "kind": "Firm"}, "/name", 2, 2),
    "with extra keys": Row(f'{GOOD[:-1]}, "age": 4}}', "invalid", {**JANE, "age": 4}, "", 2, 2),
    "in another letter case": Row('{"name": "Jane", "kind": "PERSON"}', "succeeded", JANE),
    "with half a surrogate pair": Row('{"name": "\\ud800", "kind": "Firm"}', "invalid", None, "", 2, 2),
    "not a number": Row('{"name": NaN, "kind": "Firm"}', "invalid", None, "", 2, 2),
    "with a key twice": Row('{"name": "Joe", "name": "Jane", "kind": "Person"}', "invalid", JANE, "/name", 2, 2),
    "not JSON": Row("I would rather not.", "invalid", None, "", 2, 2),
    "valid after one repair": Row('{"name": 7}', "succeeded", None, None, 2, 2, "pace=0"),
    "never valid": Row('{"name": 7}', "invalid", {"name": 7}, "/name", 2, 2),
}


@pytest.mark.parametrize(("schema", "native"), [(HELD, True), (DESCRIBED, False)], ids=["native", "instructions"])
def test_answers_come_to_what_they_should(api: Api, schema: dict[str, Any], native: bool) -> None:
    begun: dict[str, str] = {}
    for name, row in TABLE.items():
        said = f"json={json.dumps(row.answer)}; " if row.answer else ""
        content = f"Jane is a Person. [[sandbox: {said}{row.directives}]]"
        body = {"schema": schema, "content": content, "evidence": False}
        begun[name] = api.post("extraction/extractions/", body).json()["id"]
    for name, row in TABLE.items():
        ended = events_of(api, begun[name])[-1]
        assert (name, ended["status"]) == (name, row.status)
        assert row.data is None or ended["data"] == row.data, name
        assert (row.problem is None) == (not ended["problems"]), (name, ended["problems"])
        assert row.problem is None or row.problem in {each["path"] for each in ended["problems"]}, name
        assert (len(ended["attempts"]), ended["usage"]["requests"]) == (row.attempts, row.requests), name
        assert all(attempt["native"] is native for attempt in ended["attempts"]), name
        assert bool(ended["attempts"][0]["problems"]) is (row.status != "succeeded" or row.attempts > 1), name
