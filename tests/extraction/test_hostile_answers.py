"""Whatever Claude answers, the extraction ends, and can be read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conversations.models import Usage
from tests.clients import Api
from tests.extraction.test_extracting import BY_PROMPT, JANE, NAME_AND_EMAIL, extract

ANYTHING = {"type": "object"}


def answering(text: str) -> str:
    return f"[[sandbox: json={json.dumps(text)}; always]]"


HUGE = 10**20
UNKEPT = [
    *("1e400", "-1e400", f"1e{HUGE}", f"[1e-{HUGE}]", "9" * 5000),
    *(r'{"a": "\ud800"}', r'{"\udc00": 1}', "[" * 200 + "]" * 200),
]


@pytest.mark.parametrize("value", UNKEPT)
def test_json_that_cannot_be_kept_is_a_problem_of_the_answer(api: Api, value: str) -> None:
    extraction = extract(api, answering(value), ANYTHING, max_attempts=1)
    assert (extraction["status"], extraction["data"]) == ("invalid", None)
    assert extraction["problems"][0]["message"]
    assert api.get(f"extraction/extractions/{extraction['id']}/").json() == extraction


@pytest.mark.parametrize("value", ["\0", 10**30, "é", "\U0001f600"])
def test_what_json_can_say_is_kept(api: Api, value: Any) -> None:
    extraction = extract(api, answering(json.dumps({"a": value})), ANYTHING)
    assert extraction["data"] == {"a": value}
    assert api.get("extraction/extractions/").json()["results"][0]["data"] == {"a": value}


@pytest.mark.parametrize("schema", [NAME_AND_EMAIL, BY_PROMPT])
def test_a_message_that_begins_twice_is_one_answer(api: Api, schema: dict[str, Any]) -> None:
    extraction = extract(api, f"{JANE} [[sandbox: duplicate_message_start]]", schema)
    assert extraction["data"] == {"name": "Jane", "email": "jane@example.com"}
    assert [attempt["stop_reason"] for attempt in extraction["attempts"]] == ["end_turn"]


def test_a_wait_that_is_neither_true_nor_false_begins_nothing(api: Api) -> None:
    response = api.post("extraction/extractions/?wait=perhaps", {"schema": NAME_AND_EMAIL, "content": JANE})
    assert response.status_code == 400
    assert api.get("extraction/extractions/").json()["results"] == []
    assert not Usage.objects.filter(user=api.user).exists()
