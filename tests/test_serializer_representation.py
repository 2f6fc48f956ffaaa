"""The API's representation of a row is what its serializer declares, from which the OpenAPI document is made."""

from __future__ import annotations

import json
from typing import Any

import pytest
from rest_framework import renderers, serializers

from conversations.api.conversation_serializers import ConversationSerializer, ListedConversationSerializer
from conversations.api.renderers import JSONRenderer
from conversations.api.serializers import MessageSerializer, TurnMessageSerializer, TurnSerializer, UserSerializer
from conversations.models import Turn
from conversations.services.accounts import shares
from conversations.services.conversation_lists import ConversationList
from conversations.services.list_parts import ListPart
from conversations.services.turns import message_paths
from tests.clients import Api


@pytest.fixture
def turn(api: Api) -> Turn:
    conversation = api.conversation(system="Be short.", max_tokens=100, metadata={"n": 1})
    return Turn.objects.get(pk=api.ask("Hello [[sandbox: words=3]]", conversation)["id"])


def as_json(value: Any) -> Any:
    return json.loads(renderers.JSONRenderer().render(value))


def test_messages_turns_and_users_are_shown_as_rest_framework_would(turn: Turn) -> None:
    rows = [
        (TurnMessageSerializer(), turn.user_message),
        (TurnMessageSerializer(), turn.messages.get()),
        (TurnSerializer(), turn),
        (UserSerializer(), turn.user),
    ]

    for serializer, row in rows:
        shown = as_json(serializer.to_representation(row))
        made = {} if row is turn else as_json(serializers.Serializer.to_representation(serializer, row))
        assert list(shown) == list(serializer.fields)
        assert {**shown, **made} == shown


def test_rows_of_lists_have_the_declared_fields(turn: Turn) -> None:
    part = ConversationList(turn.user).part(ListPart("title", 9))
    path = message_paths.page_of_path(turn.conversation_id, None, 0, 9, turn.user).messages
    declared: list[tuple[serializers.Serializer[Any], Any]] = [(ListedConversationSerializer(), each) for each in part]
    declared += [(MessageSerializer(), each) for each in path]
    declared.append((ConversationSerializer(), shares.seen_by(turn.user, turn.conversation)))
    assert len(declared) == 4
    for serializer, row in declared:
        assert set(serializer.to_representation(row)) == set(serializer.fields)


@pytest.mark.parametrize("value", [12345678901234567890123, {"a": [1.5, None, True, "\u2028é"]}])
def test_json_is_what_rest_framework_makes_of_it(value: Any) -> None:
    assert json.loads(JSONRenderer().render(value)) == as_json(value)
