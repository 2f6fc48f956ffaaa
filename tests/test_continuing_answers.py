"""An answer that was cut off continues in a new turn, in the way that its model allows."""

from __future__ import annotations

import pytest

from conversations.sandbox.server import Sandbox
from tests.clients import Api

PREFILL, NO_PREFILL = "claude-haiku-4-5", "claude-sonnet-4-6"


def cut_by_max_tokens(api: Api, model: str) -> dict:
    conversation = api.conversation(model=model, max_tokens=20)
    return api.ask("[[sandbox: words=60]]", conversation)


def go_on(api: Api, turn: dict, **fields: object) -> dict:
    response = api.post(f"turns/{turn['id']}/continue/?wait=true", fields)
    assert response.status_code == 201, response.text
    return dict(response.json())


def last_request(sandbox: Sandbox) -> list[dict]:
    return list(sandbox.requests[-1].body["messages"])


def test_a_model_that_takes_it_gets_the_answer_so_far_as_a_beginning(api: Api, sandbox: Sandbox) -> None:
    cut = cut_by_max_tokens(api, PREFILL)
    assert cut["stop_reason"] == "max_tokens"
    more = go_on(api, cut, max_tokens=2000)
    assert last_request(sandbox)[-1]["role"] == "assistant"
    path = api.get(f"conversations/{cut['conversation']}/messages/").json()["results"]
    assert [message["role"] for message in path] == ["user", "assistant", "assistant"]
    said = " ".join(message["content"][0]["text"].strip() for message in path[1:])
    assert said.split() == [f"word{n}" for n in range(1, 61)]
    assert more["user_message"] == cut["user_message"]


def test_any_other_is_asked_to_go_on_by_a_message_that_quotes_the_end(api: Api, sandbox: Sandbox) -> None:
    cut = cut_by_max_tokens(api, NO_PREFILL)
    assert go_on(api, cut)["status"] == "completed"
    *_, said, asked = last_request(sandbox)
    assert said["role"] == "assistant"
    assert asked["role"] == "user"
    assert said["content"][-1]["text"][-40:].strip() in asked["content"][0]["text"]


@pytest.mark.parametrize("model", [PREFILL, NO_PREFILL])
def test_a_stopped_answer_goes_on_and_the_conversation_after_it(api: Api, model: str) -> None:
    conversation = api.conversation(model=model, max_tokens=4000)
    turn = api.begin("[[sandbox: words=200; pace=0.02]]", conversation)
    api.events(turn["id"], limit=8)
    api.post(f"turns/{turn['id']}/cancel/")
    cut = api.ended(turn["id"])
    assert cut["status"] == "cancelled"
    go_on(api, cut, max_tokens=3000)
    assert api.ask("Thanks", conversation)["status"] == "completed"


def test_where_nothing_was_said_the_question_is_answered_anew(api: Api) -> None:
    turn = api.begin("[[sandbox: delay=20]]")
    api.events(turn["id"], limit=1)
    api.post(f"turns/{turn['id']}/cancel/")
    cut = api.ended(turn["id"])
    assert cut["messages"] == []
    response = api.post(f"turns/{cut['id']}/continue/", {})
    assert response.json()["user_message"] == cut["user_message"]
    api.post(f"turns/{response.json()['id']}/cancel/")


def test_a_whole_answer_does_not_go_on(api: Api) -> None:
    response = api.post(f"turns/{api.ask('Hello')['id']}/continue/", {})
    assert response.status_code == 400
    assert response.json()["error"]["details"]["stop_reason"] == "end_turn"


def test_a_running_turn_does_not_go_on(api: Api) -> None:
    turn = api.begin("[[sandbox: words=2000; pace=0.02]]")
    response = api.post(f"turns/{turn['id']}/continue/", {})
    assert response.status_code == 409
    assert response.json()["error"]["details"]["turn"] == turn["id"]
    api.post(f"turns/{turn['id']}/cancel/")


def test_a_key_makes_one_continuation(api: Api) -> None:
    cut = cut_by_max_tokens(api, NO_PREFILL)
    headers = {"Idempotency-Key": "again"}
    first, second = (api.post(f"turns/{cut['id']}/continue/", {}, headers=headers).json() for _ in range(2))
    assert first["id"] == second["id"]
    other = api.post(f"turns/{cut['id']}/continue/", {"max_tokens": 9}, headers=headers)
    assert other.status_code == 422


def test_nobody_goes_on_with_anothers_turn(api: Api, other: Api) -> None:
    cut = cut_by_max_tokens(api, NO_PREFILL)
    assert other.post(f"turns/{cut['id']}/continue/", {}).status_code == 404
