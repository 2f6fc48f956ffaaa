"""Deleting an object while work runs for it leaves no hold, and the work's cost is in the ledger."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError, connection, transaction
from django.test import Client

from conversations.models import Budget, Conversation, Deletion, Hold, Titling, Turn, Usage, User
from conversations.sandbox.server import Sandbox
from conversations.services.deletion import account_deletion
from extraction.models import Answer, Extraction, SchemaVersion
from tests.calls import LOOK
from tests.clients import Api, sse
from tests.processes import ServerProcess
from tests.waiting import until

LONG = "Hello [[sandbox: words=400; pace=0.1]]"
MODEL = "claude-haiku-4-5"
SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}}


@pytest.fixture(scope="module")
def naming(database: str, sandbox: Sandbox) -> Iterator[ServerProcess]:
    with ServerProcess("uvicorn", database, sandbox.url, COLLOQUY_TITLE_MODEL="claude-haiku-5-5") as process:
        yield process


@pytest.fixture
def namer(naming: ServerProcess) -> Iterator[Api]:
    with Api(naming.url) as client:
        yield client


def of_its_group(api: Api) -> Budget:
    """Create a budget that outlives the user."""
    group = Group.objects.create(name=f"group-{uuid.uuid4()}")
    group.user_set.add(api.user)
    return Budget.objects.create(group=group, limit=100)


def asked_for_a_title(api: Api, seconds: float = 3) -> Titling:
    """Start work on a conversation's title that takes so long; return it when its request has been sent."""
    conversation = api.conversation()
    api.ask(f"Hello [[sandbox: delay={seconds}]]", conversation)
    until(lambda: Titling.objects.filter(conversation_id=conversation, sent=True).exists())
    return Titling.objects.get(conversation_id=conversation)


def check_settled(budget: Budget, user: uuid.UUID) -> None:
    budget.refresh_from_db()
    assert budget.held == 0
    assert not Hold.objects.filter(budget=budget).exists()
    rows = Usage.objects.filter(user_id=user)
    assert budget.spent == sum(row.counted for row in rows) > 0


def test_a_title_that_goes_with_its_conversation_is_booked(namer: Api) -> None:
    budget = Budget.objects.create(user=namer.user, limit=100)
    titling = asked_for_a_title(namer)
    assert Hold.objects.filter(work=titling.pk).exists()
    assert namer.http.delete(f"/api/conversations/{titling.conversation_id}/").status_code == 204
    check_settled(budget, namer.user.pk)
    [row] = Usage.objects.filter(conversation_id=titling.conversation_id, purpose="title")
    assert (row.source, row.input_tokens > 0) == ("estimate", True)


def test_a_turn_that_goes_with_its_user_is_booked(api: Api) -> None:
    budget = of_its_group(api)
    turn, user = api.begin(LONG), api.user.pk
    api.events(turn["id"], limit=8)
    account_deletion.delete_account(user=api.user, cause=Deletion.Cause.STAFF)
    check_settled(budget, user)
    [row] = Usage.objects.filter(turn_id=turn["id"])
    assert (row.source, row.output_tokens > 1) == ("estimate", True)
    time.sleep(0.5)  # until the process has received the request to stop
    assert Usage.objects.filter(turn_id=turn["id"]).count() == 1
    assert not Turn.objects.filter(pk=turn["id"]).exists()


def test_a_title_that_goes_with_its_user_is_booked(namer: Api) -> None:
    budget, user = of_its_group(namer), namer.user.pk
    titling = asked_for_a_title(namer)
    account_deletion.delete_account(user=namer.user, cause=Deletion.Cause.STAFF)
    check_settled(budget, user)
    assert Usage.objects.filter(conversation_id=titling.conversation_id, purpose="title").count() == 1


def test_an_extraction_that_goes_with_its_user_is_booked(api: Api) -> None:
    budget, user = of_its_group(api), api.user.pk
    body = {"schema": SCHEMA, "content": "Jane [[sandbox: delay=3]]"}
    id = api.post("extraction/extractions/", body).json()["id"]
    until(lambda: Hold.objects.filter(work=id).exists())
    account_deletion.delete_account(user=api.user, cause=Deletion.Cause.STAFF)
    check_settled(budget, user)
    assert not Extraction.objects.filter(pk=id).exists()


def test_a_title_and_a_new_turn_do_not_wait_for_each_other_in_a_circle(namer: Api) -> None:
    """Beginning a turn locks the conversation before the budgets; ending a title locks them in the same order."""
    budget = Budget.objects.create(user=namer.user, limit=100)
    titling = asked_for_a_title(namer, seconds=5)
    with transaction.atomic():
        Conversation.objects.select_for_update(no_key=True).get(pk=titling.conversation_id)
        until(someone_waits)
        assert Budget.objects.select_for_update(nowait=True).get(pk=budget.pk).held > 0
    until(lambda: Titling.objects.get(pk=titling.pk).ended)


def someone_waits() -> bool:
    """Return whether another process waits for a lock of this one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))")
        return bool(cursor.fetchone()[0])


def test_users_are_deleted_in_the_admin_whatever_ends_meanwhile(server: ServerProcess) -> None:
    staff = Client()
    staff.force_login(User.objects.create_superuser(f"staff-{uuid.uuid4().hex[:8]}"))
    for _ in range(5):
        with Api(server.url) as api:
            budget, user = of_its_group(api), api.user.pk
            for pace in (0, 0.002, 0.005, 0.01):
                api.begin(f"Hello [[sandbox: words=20; pace={pace}]]")
            assert b"Conversations: 4" in staff.get(f"/admin/conversations/user/{user}/delete/").content
            page = staff.post(f"/admin/conversations/user/{user}/delete/", {"post": "yes"})
            assert (page.status_code, page["location"]) == (302, "/admin/conversations/user/")
            assert not User.objects.filter(pk=user).exists()
            check_settled(budget, user)


def sent_and_unanswered(api: Api, status: str) -> Extraction:
    """Create an extraction with this status whose request has been sent and not answered."""
    schema = SchemaVersion.objects.create(owner=api.user, json_schema={}, digest=uuid.uuid4().hex)
    content = [{"type": "text", "text": "Jane"}]
    made = Extraction.objects.create(owner=api.user, schema=schema, content=content, model=MODEL, status=status)
    made.attempts.create(number=1).answers.create(number=1, native=False)
    return made


@pytest.mark.parametrize("status", ["queued", "cancelled"])
def test_a_request_that_is_still_with_anthropic_is_booked(api: Api, status: str) -> None:
    made = sent_and_unanswered(api, status)
    assert api.http.delete(f"/api/extraction/extractions/{made.pk}/").status_code == 204
    [row] = Usage.objects.filter(user=api.user)
    assert (row.purpose, row.source, row.input_tokens > 0) == ("extraction", "estimate", True)


@pytest.mark.parametrize("status", ["queued", "cancelled"])
def test_postgres_keeps_requests_of_extractions_that_nobody_has_booked(api: Api, status: str) -> None:
    made = sent_and_unanswered(api, status)
    with pytest.raises(IntegrityError, match="before it is deleted"):
        made.delete()
    assert Answer.objects.filter(attempt__extraction=made).exists()
    assert api.http.delete(f"/api/extraction/extractions/{made.pk}/").status_code == 204


def test_postgres_keeps_what_has_not_ended_whoever_deletes_it(api: Api) -> None:
    budget, turn = of_its_group(api), api.begin(LONG)
    api.events(turn["id"], limit=4)
    with pytest.raises(IntegrityError, match="before it is deleted"):
        api.user.delete()
    with pytest.raises(IntegrityError, match="before it is deleted"), connection.cursor() as cursor:
        cursor.execute("DELETE FROM conversations_turn WHERE id = %s", [turn["id"]])
    user = User.objects.get(pk=api.user.pk)
    account_deletion.delete_account(user=user, cause=Deletion.Cause.STAFF)
    check_settled(budget, user.pk)


def test_who_waits_for_or_follows_a_turn_that_is_deleted_is_told(api: Api, daphne_server: ServerProcess) -> None:
    conversation, waits = api.conversation(), {"content": "x", "on_active": "queue"}
    turn = api.begin(LONG, conversation)
    address = f"/api/turns/{turn['id']}/events/"
    with (
        ThreadPoolExecutor(1) as pool,
        api.socket() as socket,
        Api.of(daphne_server.url, api) as elsewhere,
        elsewhere.http.stream("GET", address) as response,
    ):
        events = sse(response)
        assert next(events)["type"] == "turn_start"
        socket.send(type="turn.follow", turn=turn["id"], after=0)
        socket.until("content_block_delta")
        waiting = pool.submit(api.post, f"conversations/{conversation}/turns/?wait=true", waits)
        until(lambda: Turn.objects.filter(conversation_id=conversation).count() == 2)
        assert api.http.delete(f"/api/conversations/{conversation}/").status_code == 204
        *_, last = events
        frame, refused = socket.until("error")[-1], waiting.result()
    assert (last["type"], last["error"]["type"]) == ("error", "not_found_error")
    assert (frame["error"]["type"], frame["error"]["details"]) == ("not_found_error", {"turn": turn["id"]})
    assert (refused.status_code, refused.json()["error"]["type"]) == (404, "not_found_error")


def test_who_asks_where_the_conversation_is_just_being_deleted_is_told(api: Api) -> None:
    conversation = api.conversation(tools=[LOOK])
    active = Turn.objects.filter(pk=api.ask("[[sandbox: tool=look{}]]", conversation)["id"])
    body = {"content": "x", "on_active": "queue"}
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            active.select_for_update(no_key=True).get()
            asking = pool.submit(api.post, f"conversations/{conversation}/turns/", body)
            until(someone_waits)
            active.update(status=Turn.Status.CANCELLED)
            Conversation.objects.filter(pk=conversation).delete()
        assert asking.result().status_code == 404


def test_who_follows_a_conversation_is_told_that_it_is_deleted_its_owner_too(api: Api) -> None:
    id = api.conversation()
    with api.socket() as socket:
        socket.send(type="conversation.follow", ref=1, conversation=id)
        socket.send(type="ping", ref=2)
        assert socket.receive()["type"] == "pong"
        assert api.http.delete(f"/api/conversations/{id}/").status_code == 204
        told = socket.receive()
        assert (told["type"], told["ref"], told["error"]["type"]) == ("error", None, "not_found_error")
        assert told["error"]["details"] == {"conversation": id}
        socket.send(type="ping", ref=3)
        assert socket.receive()["ref"] == 3
