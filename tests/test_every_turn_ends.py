"""Whatever a turn's row contains, the turn ends: settled, cancelled or deleted, with as much stored as possible."""

from __future__ import annotations

import logging
import uuid
from typing import Any

import pytest

from conversations.models import Budget, Conversation, Deletion, Hold, Message, Piece, Titling, Turn, Usage, User
from conversations.services.deletion import account_deletion, deletion
from conversations.services.turns import titles, turn_end
from extraction.models import Extraction, SchemaVersion
from extraction.services import extractions
from tests.clients import Api
from tests.refusing import refusing
from tests.waiting import until

START = {"type": "turn_start", "conversation": "c", "model": "m", "user_message": "u"}
TOO_LONG = "x" * 300


def message(**fields: Any) -> dict[str, Any]:
    told = {"id": "msg_1", "role": "assistant", "model": "claude-sonnet-4-6", "content": [], "usage": {}, **fields}
    return {"type": "message_start", "message": told}


def block(**fields: Any) -> dict[str, Any]:
    return {"type": "content_block_start", "index": 0, "content_block": fields}


GARBAGE: dict[str, Any] = {
    "an object": {"a": 1},
    "a string": "abc",
    "a number": 7,
    "numbers": [1, 2],
    "an event without a type": [{"foo": 1}],
    "a type that is a number": [{"type": 3}],
    "a start without a message": [{"type": "message_start"}],
    "a start whose message is a list": [{"type": "message_start", "message": [1]}],
    "usage that is a list": [message(usage=[1])],
    "usage of strings": [message(usage={"input_tokens": "many", "output_tokens": {"a": 1}})],
    "usage beyond any column": [message(usage={"input_tokens": 10**30}), {"type": "message_stop"}],
    "a long model": [message(model=TOO_LONG)],
    "a model that is an object": [message(model={"a": TOO_LONG})],
    "a long stop reason": [message(), {"type": "message_delta", "delta": {"stop_reason": TOO_LONG}}],
    "a role that is unknown": [message(role="a role of which nobody has heard")],
    "content that is a string": [message(content="Hello")],
    "a block without content": [message(), {"type": "content_block_start", "index": 0}],
    "a block that is a string": [message(), {"type": "content_block_start", "index": 0, "content_block": "x"}],
    "a call without an id": [message(), block(type="tool_use", name="f", input={})],
    "a delta that is a string": [message(), block(type="text", text=""), {"type": "content_block_delta", "delta": "x"}],
    "half a character": [message(content=[{"type": "text", "text": "\ud83c"}])],
    "an error that is a string": [message(), {"type": "error", "error": "no"}],
    "a result without a call": [{"type": "tool_result"}],
}


def turn_of(api: Api, status: str, events: Any = None, **columns: Any) -> Turn:
    """Create a turn that a dead process has left with these events after its first one."""
    conversation = Conversation.objects.get(pk=api.conversation())
    asked = Message.objects.create(conversation=conversation, role="user", content=[{"type": "text", "text": "Hello"}])
    fields = {"holder": uuid.uuid4(), "requests_sent": 1, "settings": {"model": "claude-sonnet-4-6", "max_tokens": 9}}
    turn = Turn.objects.create(
        conversation=conversation,
        user=api.user,
        user_message=asked,
        model="claude-sonnet-4-6",
        status=status,
        **{**fields, **columns},
    )
    Piece.objects.create(turn=turn, start=0, end=1, events=[START])
    if events is not None:
        end = 1 + (len(events) if isinstance(events, list) else 1)
        Piece.objects.create(turn=turn, start=1, end=end, events=events)
        Turn.objects.filter(pk=turn.pk).update(position=end)
    return turn


def ended(turn: Turn) -> Turn:
    """Wait until a turn has been ended, by this process or by the server's sweep, and return it."""
    until(lambda: Turn.objects.get(pk=turn.pk).ended)
    return Turn.objects.get(pk=turn.pk)


@pytest.mark.parametrize("kind", GARBAGE)
def test_a_turn_with_any_transcript_is_settled(api: Api, kind: str) -> None:
    budget = Budget.objects.create(user=api.user, limit=100)
    turn = turn_of(api, "running", GARBAGE[kind])
    Hold.objects.create(budget=budget, work=turn.pk, number=1, amount=1)
    Budget.objects.filter(pk=budget.pk).update(held=1)
    turn_end.settle(turn_id=turn.pk, by=uuid.uuid4())
    found = ended(turn)
    assert found.status in ("interrupted", "failed")
    assert (found.status == "failed") == (found.error is not None)
    budget.refresh_from_db()
    assert budget.held == 0
    assert not Hold.objects.filter(work=turn.pk).exists()
    assert Usage.objects.filter(turn=turn).count() == 1
    events = api.events(str(turn.pk))
    assert [events[0]["type"], events[-1]["type"]] == ["turn_start", "turn_end"]
    assert [event["position"] for event in events] == sorted({event["position"] for event in events})
    assert events[-1]["position"] == found.position
    assert ("error" in [event["type"] for event in events]) == (found.status == "failed") or "error" in kind
    assert api.ask("And now?", str(turn.conversation_id))["status"] == "completed"


@pytest.mark.parametrize("status", ["queued", "awaiting_tools"])
@pytest.mark.parametrize("kind", ["an object", "numbers", "a start without a message", "a call without an id"])
def test_a_turn_with_any_transcript_is_cancelled(api: Api, kind: str, status: str) -> None:
    turn = turn_of(api, status, GARBAGE[kind])
    assert api.post(f"turns/{turn.pk}/cancel/").status_code in (200, 202)
    assert ended(turn).status in ("cancelled", "failed")
    assert api.events(str(turn.pk))[-1]["type"] == "turn_end"


@pytest.mark.parametrize("kind", ["an object", "usage that is a list", "a call without an id", "a long model"])
def test_a_conversation_with_any_transcript_is_deleted(api: Api, kind: str) -> None:
    turn = turn_of(api, "running", GARBAGE[kind])
    assert api.http.delete(f"/api/conversations/{turn.conversation_id}/").status_code == 204
    assert not Conversation.objects.filter(pk=turn.conversation_id).exists()
    assert Usage.objects.filter(turn_id=turn.pk).count() == 1


def test_a_user_with_any_transcript_is_deleted(api: Api) -> None:
    turns = [turn_of(api, "running", GARBAGE[kind]) for kind in ("numbers", "a block without content")]
    account_deletion.delete_account(user=api.user, cause=Deletion.Cause.STAFF)
    assert not User.objects.filter(pk=api.user.pk).exists()
    assert Usage.objects.filter(turn_id__in=[turn.pk for turn in turns]).count() == 2


def test_a_queued_turn_that_no_process_can_run_fails(api: Api) -> None:
    turn = turn_of(api, "queued", GARBAGE["numbers"], holder=None)
    Turn.objects.filter(pk=turn.pk).update(created_at="2026-01-01T00:00:00Z")
    assert ended(turn).status == "failed"


def test_a_turn_whose_requests_can_never_be_booked_ends(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    turn = turn_of(api, "running", [message(), block(type="text", text="Hello")])
    with (
        refusing("conversations_usage", f"NEW.turn_id = '{turn.pk}'"),
        caplog.at_level(logging.ERROR),
    ):
        turn_end.settle(turn_id=turn.pk, by=uuid.uuid4())
        found = ended(turn)
    assert (found.status, found.error["type"]) == ("failed", "api_error")
    assert [event["type"] for event in api.events(str(turn.pk))][-2:] == ["error", "turn_end"]
    if caplog.records:  # otherwise the server's own sweep was faster
        assert f"Turn {turn.pk} could not be ended as a whole" in caplog.text
        assert "refused by the test" in caplog.text


@pytest.mark.parametrize("table", ["conversations_message", "conversations_journal"])
def test_a_turn_whose_answer_can_not_be_stored_ends(api: Api, table: str) -> None:
    """The turn runs on the server, and was seen up to the row that the table refused."""
    column = {"conversations_message": "NEW.role = 'assistant' AND NEW.turn_id", "conversations_journal": "NEW.turn_id"}
    turn = turn_of(api, "running", [message(), block(type="text", text="Hello")])
    with refusing(table, f"{column[table]} = '{turn.pk}'"):
        turn_end.settle(turn_id=turn.pk, by=uuid.uuid4())
        assert ended(turn).status == "failed"
    assert Usage.objects.filter(turn=turn).count() == 1
    assert api.ask("And now?", str(turn.conversation_id))["status"] == "completed"


def test_a_running_turn_whose_events_are_refused_says_so(api: Api) -> None:
    conversation = api.conversation()
    condition = "NEW.events::text LIKE '%refuse-me%'"
    with refusing("conversations_journal", condition):
        turn = api.begin("[[sandbox: text=word refuse-me; words=30]]", conversation)
        found = ended(Turn.objects.get(pk=turn["id"]))
    assert (found.status, found.error["type"]) == ("failed", "api_error")
    assert "could not be stored" in found.error["message"]
    assert api.events(turn["id"])[-1]["type"] == "turn_end"
    assert api.ask("And now?", conversation)["status"] == "completed"


def test_one_row_does_not_keep_the_others_from_being_settled(api: Api) -> None:
    """A row that can't be written is retried later, and delays no others."""
    stuck = turn_of(api, "running", [message()])
    with refusing("conversations_turn", f"NEW.id = '{stuck.pk}' AND NEW.status <> 'running'", "UPDATE"):
        others = [turn_of(api, "running", GARBAGE["numbers"]), turn_of(api, "running", [message()])]
        for other in others:
            assert ended(other).ended
        assert not Turn.objects.get(pk=stuck.pk).ended
    turn_end.settle(turn_id=stuck.pk, by=uuid.uuid4())
    assert Turn.objects.get(pk=stuck.pk).ended


def titling(turn: Turn) -> Titling:
    fields = {"status": "running", "holder": uuid.uuid4(), "sent": True, "model": "claude-haiku-4-5"}
    return Titling.objects.create(conversation=turn.conversation, turn=turn, **fields)


def extraction(api: Api) -> Extraction:
    schema = SchemaVersion.objects.create(owner=api.user, json_schema={})
    fields = {"status": "running", "holder": uuid.uuid4(), "model": "claude-haiku-4-5", "schema": schema}
    made = Extraction.objects.create(owner=api.user, content=[{"type": "text", "text": "x"}], **fields)
    made.attempts.create(number=1).answers.create(number=1, native=False)
    return made


def test_other_work_that_can_not_be_booked_is_settled(api: Api) -> None:
    title, extracting = titling(turn_of(api, "completed")), extraction(api)
    with refusing("conversations_usage", f"NEW.user_id = '{api.user.pk}'"):
        titles.settle(id=title.pk, by=uuid.uuid4())
        extractions.settle(id=extracting.pk, by=uuid.uuid4())
    assert Titling.objects.get(pk=title.pk).ended
    assert Extraction.objects.get(pk=extracting.pk).ended


def test_what_can_not_be_booked_is_deleted(api: Api) -> None:
    turn, extracting = turn_of(api, "running", [message()]), extraction(api)
    titling(turn_of(api, "completed"))
    with refusing("conversations_usage", f"NEW.user_id = '{api.user.pk}'"):
        deletion.delete_conversation(user=api.user, id=turn.conversation_id)
        account_deletion.delete_account(user=api.user, cause=Deletion.Cause.STAFF)
    assert not Turn.objects.filter(pk=turn.pk).exists()
    assert not Extraction.objects.filter(pk=extracting.pk).exists()
