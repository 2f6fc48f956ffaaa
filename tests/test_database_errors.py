"""Database errors are classified: lost connection, temporary, or permanent."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction

from conversations import database_faults
from conversations.database import again_where_contended, persistently
from conversations.errors import ColloquyError
from conversations.models import Conversation, Turn
from tests.clients import Api
from tests.refusing import counter, refusing


def raise_state(state: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DO $$ BEGIN RAISE EXCEPTION 'told by the test' USING ERRCODE = '{state}'; END $$")


def error_of(does: Callable[[], object]) -> Exception:
    try:
        does()
    except Exception as error:  # noqa: BLE001
        return error
    raise AssertionError("it did not fail")


STATES = {
    # SQLSTATE: the error's class, the response's status, and a word of its message
    "40P01": ("contended", 503, "at once"),
    "40001": ("contended", 503, "at once"),
    "53100": ("fixed", 503, "full"),
    "53200": ("fixed", 503, "full"),
    "54000": ("fixed", 503, "too large|as large"),
    "55P03": ("fixed", 503, "locked"),
    "57014": ("fixed", 503, "too long"),
    "58030": ("fixed", 503, "files"),
    "XX001": ("fixed", 503, "damaged"),
    "22003": ("fixed", 400, "can't be stored"),
    "22P02": ("fixed", 400, "can't be stored"),
    "23505": ("fixed", 409, "meanwhile"),
    "42P01": ("fixed", 503, "could not execute this"),
    "57P01": ("lost", 503, "can't be reached"),
    "08006": ("lost", 503, "can't be reached"),
    "53300": ("lost", 503, "can't be reached"),
}


@pytest.mark.parametrize("state", STATES)
def test_each_state_is_one_of_three_kinds_and_has_words_for_it(database: str, state: str) -> None:
    error = error_of(lambda: raise_state(state))
    kind, status, told = STATES[state]
    assert database_faults.state_of(error) == state
    assert (database_faults.is_lost(error), database_faults.is_contended(error)) == (
        kind == "lost",
        kind == "contended",
    )
    ours = database_faults.translate(error)
    assert ours is not None
    assert ours.status == status
    assert any(words in str(ours) for words in told.split("|"))
    assert (ours.retry_after is not None) == (status == 503)
    assert "told by the test" not in str(ours)


def test_a_connection_that_is_closed_is_lost(database: str) -> None:
    connection.ensure_connection()
    assert connection.connection is not None
    connection.connection.close()
    error = error_of(lambda: raise_state("22000"))
    connection.close()
    assert isinstance(error, (InterfaceError, OperationalError))
    assert database_faults.is_lost(error)


def test_a_statement_that_is_cancelled_is_not_tried_again(database: str) -> None:
    tries = []

    def slow() -> None:
        tries.append(1)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 50")
            cursor.execute("SELECT pg_sleep(5)")

    with pytest.raises(ColloquyError, match="took too long"):
        asyncio.run(persistently(slow))
    assert len(tries) == 1


@pytest.mark.parametrize(("state", "most"), [("40P01", database_faults.CONTENDED_TRIES), ("53100", 1), ("22003", 1)])
def test_only_what_passes_is_tried_again_and_not_for_ever(database: str, state: str, most: int) -> None:
    tries = []

    def fails() -> None:
        tries.append(1)
        raise_state(state)

    with pytest.raises(ColloquyError):
        asyncio.run(persistently(fails))
    assert len(tries) == most
    tries.clear()
    with pytest.raises(DatabaseError):
        again_where_contended(fails)
    assert len(tries) == most


def test_of_two_that_deadlock_both_come_through(database: str) -> None:
    keys = [int.from_bytes(uuid.uuid4().bytes[:6]) for _ in range(2)]
    has = {key: threading.Event() for key in keys}

    def lock(first: int, then: int) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [first])
            has[first].set()
            assert has[then].wait(20)
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [then])

    with ThreadPoolExecutor() as pool:
        both = [pool.submit(asyncio.run, persistently(lock, *order)) for order in (keys, keys[::-1])]
        for each in both:
            each.result(60)
        for event in has.values():
            event.clear()
        both = [pool.submit(again_where_contended, partial(lock, *order)) for order in (keys, keys[::-1])]
        for each in both:
            each.result(60)


@pytest.mark.parametrize("state", ["53100", "57014", "40P01", "57P01", "XX000"])
def test_a_request_is_answered_in_the_contracts_shape(api: Api, state: str) -> None:
    title = uuid.uuid4().hex
    with refusing("conversations_conversation", f"NEW.title = '{title}'", state=state):
        answer = api.post("conversations/", {"title": title})
    assert (answer.status_code, answer.json()["error"]["type"]) == (503, "overloaded_error")
    assert int(answer.headers["retry-after"]) > 0
    assert not Conversation.objects.filter(title=title).exists()


def test_a_value_that_no_column_takes_is_a_bad_request(api: Api) -> None:
    title = uuid.uuid4().hex
    with refusing("conversations_conversation", f"NEW.title = '{title}'", state="22001"):
        answer = api.post("conversations/", {"title": title})
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request_error")


@pytest.mark.parametrize("table", ["conversations_journal", "conversations_usage"])
def test_a_turn_comes_through_deadlocks(api: Api, table: str) -> None:
    conversation = api.conversation()
    turns = f"NEW.turn_id IN (SELECT id FROM conversations_turn WHERE conversation_id = '{conversation}')"
    with counter() as name:
        condition = f"{turns} AND nextval('{name}') <= 2"
        with refusing(table, condition, state="40P01"):
            turn = api.ask("[[sandbox: words=20; pace=0.02]]", conversation)
    assert turn["status"] == "completed"
    assert turn["usage"]["requests"] == 1


FULL = {
    "where its events go": ("conversations_journal", "NEW.turn_id"),
    "where its next request is noted": ("conversations_turn", "NEW.requests_sent = 2 AND NEW.id"),
}


@pytest.mark.parametrize("where", FULL)
def test_a_turn_that_finds_the_disk_full_says_so(api: Api, where: str) -> None:
    conversation = api.conversation(tools=[{"type": "platform", "name": "add"}])
    table, row = FULL[where]
    turns = f"{row} IN (SELECT id FROM conversations_turn WHERE conversation_id = '{conversation}')"
    with refusing(table, turns, state="53100"):
        id = api.begin('[[sandbox: words=20; pace=0.02; tool=add{"first": 1}]]', conversation)["id"]
        api.events(id)
    turn = Turn.objects.get(pk=id)
    assert turn.status == "failed"
    assert "disk" in turn.error["message"]
