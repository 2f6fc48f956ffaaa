"""The cost of a turn, a branch and a conversation is the sum of the ledger rows below it."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from conversations.models import Conversation, Message, Turn, Usage
from conversations.sandbox.server import Sandbox
from conversations.services.billing import ledger
from tests import streams
from tests.clients import Api

NOTHING = {
    "usage": dict.fromkeys(
        (
            "input_tokens",
            "output_tokens",
            "cache_creation_input_tokens",
            "cache_read_input_tokens",
            "requests",
        ),
        0,
    ),
    "cost": "0",
}


def together(*shown: dict[str, Any]) -> dict[str, Any]:
    """Return the summed usage and cost of several turns."""
    names = NOTHING["usage"]
    cost = sum((Decimal(each["cost"]) for each in shown), Decimal(0))
    summed = {name: sum(each["usage"][name] for each in shown) for name in names}
    return {"usage": summed, "cost": f"{cost.normalize():f}"}


def of_conversation(api: Api, id: str) -> dict[str, Any]:
    found = api.get(f"conversations/{id}/").json()
    return {name: found[name] for name in NOTHING}


def of_branch(api: Api, id: str, leaf: str = "") -> dict[str, Any]:
    found: dict[str, Any] = api.get(f"conversations/{id}/usage/?leaf={leaf}").json()
    assert found.pop("leaf") == (leaf or api.get(f"conversations/{id}/").json()["active_leaf"])
    return found


def test_a_branch_has_the_turns_on_its_path_and_the_conversation_has_all(api: Api) -> None:
    id = api.conversation(tools=[{"type": "platform", "name": "add"}])
    assert of_branch(api, id) == of_conversation(api, id) == NOTHING
    first = api.ask('Add [[sandbox: tool=add{"first": 1}]]', id)
    assert first["usage"]["requests"] == 2
    second = api.ask("Hello", id)
    edited = api.ask("Good day, Claude", id, parent=first["messages"][-1]["id"])
    turns = api.get(f"conversations/{id}/turns/").json()["results"]
    again = api.ask_with({}, "Thanks", id)
    leaf = second["messages"][-1]["id"]
    assert of_branch(api, id, leaf) == together(first, second)
    assert of_branch(api, id) == together(first, edited, again)
    assert of_conversation(api, id) == together(*turns, again)


def test_an_unknown_price_is_not_free(api: Api, sandbox: Sandbox) -> None:
    id = api.conversation()
    known = api.ask("Hello", id)
    sandbox.replay = streams.answered({"input_tokens": 5, "output_tokens": 5}, "some-local-model")
    try:
        api.ask("Hello", id)
    finally:
        sandbox.replay = None
    assert of_branch(api, id)["cost"] is of_conversation(api, id)["cost"] is None
    assert of_branch(api, id, known["messages"][0]["id"]) == together(known)


def test_what_is_set_right_is_set_right_everywhere(api: Api) -> None:
    turn = api.ask("Hello")
    ledger.correct(row=Usage.objects.get(turn=turn["id"]), reason="a test")
    id = turn["conversation"]
    assert of_branch(api, id) == of_conversation(api, id) == NOTHING


@pytest.mark.parametrize(("leaf", "status"), [("nonsense", 400), ("01990000-0000-7000-8000-000000000000", 404)])
def test_a_leaf_that_is_not_there_is_not_found(api: Api, leaf: str, status: int) -> None:
    assert api.get(f"conversations/{api.conversation()}/usage/?leaf={leaf}").status_code == status


def test_what_others_spent_is_not_shown(api: Api, other: Api) -> None:
    id = api.ask("Hello")["conversation"]
    assert other.get(f"conversations/{id}/usage/").status_code == 404


def test_a_long_conversation_is_added_up_whole(api: Api) -> None:
    id = api.conversation()
    grow(Conversation.objects.get(pk=id), 500)
    for path in (f"conversations/{id}/", f"conversations/{id}/usage/"):
        found = api.get(path).json()
        assert (found["usage"]["requests"], found["cost"]) == (500, "500")


def grow(conversation: Conversation, number: int) -> None:
    """Add `number` turns to a conversation as one path, at a dollar each."""
    messages: list[Message] = []
    turns: list[Turn] = []
    last: uuid.UUID | None = None
    for _ in range(number):
        asked = Message(conversation=conversation, parent_id=last, role="user", content=[])
        turn = Turn(conversation=conversation, user=conversation.owner, user_message=asked, status="completed")
        answer = Message(conversation=conversation, parent=asked, role="assistant", content=[], turn=turn)
        messages += [asked, answer]
        turns.append(turn)
        last = answer.pk
    rows = [Usage(user=conversation.owner, conversation=conversation, turn=each, cost=1) for each in turns]
    with transaction.atomic():  # messages and turns name each other
        Message.objects.bulk_create(messages)
        Turn.objects.bulk_create(turns)
        Usage.objects.bulk_create(rows)
    Conversation.objects.filter(pk=conversation.pk).update(active_leaf=last)
