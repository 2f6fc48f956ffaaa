"""Deleting an account removes all its words from rows and files; the ledger keeps the amounts, without a name."""

from __future__ import annotations

import base64
import os
import uuid
from decimal import Decimal
from pathlib import Path

import httpx2
import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import DataError, IntegrityError, connection
from django.test import Client

from config import local, tasks
from conversations import clock
from conversations.models import ArchiveImport, Budget, Deletion, Opening, Turn, Usage, User
from conversations.services.billing.pseudonyms import pseudonym_of
from conversations.services.deletion import account_deletion
from conversations.services.deletion.deletion import in_one_go
from conversations.services.files import stored_files
from extraction.models import Extraction
from tests.clients import PASSWORD, Api
from tests.processes import ServerProcess
from tests.waiting import until

TABLES = """
SELECT relation.oid::regclass::text FROM pg_class AS relation
JOIN pg_namespace AS namespace ON namespace.oid = relation.relnamespace
WHERE relation.relkind IN ('r', 'p', 'm') AND namespace.nspname !~ '^(pg_|information_schema$)'
"""
LOOK = {"name": "look", "input_schema": {"type": "object"}}


@pytest.fixture
def word() -> str:
    """Provide a unique word, to be written wherever a user can write."""
    return f"canary{uuid.uuid4().hex}"


def spellings(word: str) -> list[str]:
    """Return a word as text, as hexadecimal bytes, and in base64 at each alignment."""
    shifted = (base64.b64encode(b" " * before + word.encode()).decode() for before in range(3))
    return [word, word.encode().hex(), *(each[4:-4] for each in shifted)]


def rows_with(word: str) -> dict[str, str]:
    """Return the tables that have the word in any column, each with one such row."""
    found = {}
    with connection.cursor() as cursor:
        cursor.execute(TABLES)
        for (table,) in cursor.fetchall():
            cursor.execute(f"SELECT seen::text FROM {table} AS seen WHERE seen::text ~ %s", ["|".join(spellings(word))])
            if row := cursor.fetchone():
                found[table] = row[0]
    return found


def files_with(word: str) -> list[str]:
    """Return the files in the data folder that have the word in their contents or names.

    Of Postgres only the log is searched: its other files are the tables. Lock files are skipped: they are empty, and
    closing them would release the locks.
    """
    found = []
    for folder, folders, names in os.walk(local.DATA_DIR):
        if Path(folder).name == "postgres":
            folders.clear()
            names = [name for name in names if name == "log"]
        paths = [Path(folder, name) for name in names if not name.endswith((".lock", ".users"))]
        found += [str(each) for each in paths if word in each.name or word.encode() in each.read_bytes()]
    return found


@pytest.fixture
def writer(api: Api, word: str) -> Api:
    """Provide a user with the word in their name and email, who has written it everywhere."""
    User.objects.filter(pk=api.user.pk).update(username=f"{word}-name", email=f"{word}@example.com", first_name=word)
    talk(api, word)
    extract(api, word)
    left_of_an_import(api, word)
    Client().post("/admin/login/", {"username": f"{word}-name", "password": "wrong"})
    with pytest.raises(DataError):
        User.objects.filter(pk=api.user.pk).update(first_name=word * 9)
    return api


def talk(api: Api, word: str) -> None:
    """Write the word in conversations: one ended, one awaiting a tool, one running, and one question queued."""
    file = api.http.post("/api/attachments/", files={"file": (f"{word}.txt", f"A file with {word}.", "text/plain")})
    assert file.status_code == 201, file.text
    source = {"type": "attachment", "attachment": file.json()["id"]}
    content = [
        {"type": "document", "title": word, "source": source},
        {"type": "text", "text": f'{word} [[sandbox: text="{word}"]]'},
    ]
    conversation = api.conversation(title=word, tags=[word], metadata={word: word}, system=word)
    turn = api.ask_with({"Idempotency-Key": word}, content, conversation)
    message = turn["messages"][0]["id"]
    assert api.http.put(f"/api/messages/{message}/feedback/", json={"rating": 1, "comment": word}).status_code == 200
    waiting = api.ask(f'[[sandbox: tool=look{{"q": "{word}"}}]]', api.conversation(tools=[LOOK]))
    [call] = [each for each in waiting["messages"][0]["content"] if each["type"] == "tool_use"]
    result = {"tool_use_id": call["id"], "content": word}
    assert api.post(f"turns/{waiting['id']}/tool-results/", {"results": [result]}).status_code == 202
    api.ask(f'[[sandbox: tool=look{{"q": "{word}"}}]]', api.conversation(tools=[LOOK]))
    running = api.begin(f"{word} [[sandbox: words=400; pace=0.1]]")
    api.events(running["id"], limit=4)
    assert api.begin(word, running["conversation"], on_active="queue")["status"] == "queued"


def extract(api: Api, word: str) -> None:
    """Extract from the word: once, in a queued batch, and in an evaluation."""
    schema = {"type": "object", "properties": {"name": {"type": "string", "description": word}}, "required": ["name"]}
    assert api.post("extraction/schemas/", {"name": word, "json_schema": schema}).status_code == 201
    body = {"schema": word, "content": f"name: {word}", "metadata": {word: word}}
    done = api.post("extraction/extractions/?wait=true", body, headers={"Idempotency-Key": word})
    assert done.status_code == 201, done.text
    items = [{"key": f"{word}-{number}", "content": f"name: {word}"} for number in range(3)]
    assert api.post("extraction/batches/", {"schema": word, "items": items}).status_code == 201
    expected = [{"content": item["content"], "expected": {"name": word}} for item in items]
    runs = [{"schema": word, "model": "claude-haiku-4-5"}]
    made = api.post("extraction/evaluations/", {"items": expected, "runs": runs})
    assert made.status_code == 201, made.text
    slow = {"schema": word, "content": f"{word} [[sandbox: delay=60]]"}
    id = api.post("extraction/extractions/", slow).json()["id"]
    until(lambda: Extraction.objects.get(pk=id).attempts.exists())


def left_of_an_import(api: Api, word: str) -> None:
    """Leave the word in the problems of an import, and in its archive in the storage."""
    problems = [{"entry": word, "message": word}]
    job = ArchiveImport.objects.create(
        owner=api.user, source="chatgpt", size=1, status="cancelled", problems=problems, finished_at=clock.now()
    )
    stored_files.save(job.path, word.encode())


@pytest.fixture
def staff(database: str) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser(f"staff-{uuid.uuid4().hex[:8]}"))
    return client


def look_at(staff: Client, writer: Api) -> None:
    """Have staff open and change the writer's objects, which the admin logs."""
    user = writer.user.pk
    staff.get(f"/admin/conversations/conversation/{writer.user.conversations.first().pk}/change/")  # type: ignore[union-attr]
    budget = {"user": str(user), "group": "", "period": "month", "limit": "100"}
    assert staff.post("/admin/conversations/budget/add/", budget).status_code == 302
    assert staff.post("/admin/conversations/retention/add/", {"user": str(user), "days": "9"}).status_code == 302


def delete_me(api: Api, body: dict[str, str]) -> httpx2.Response:
    return api.http.request("DELETE", "/api/me/", json=body)


def check_erased(user: uuid.UUID, word: str) -> None:
    assert rows_with(word) == {}
    assert files_with(word) == []
    rows = Usage.objects.filter(user_id=user)
    [name] = {row.username for row in rows}
    assert Deletion.objects.filter(kind="account", pseudonym=name).exists()
    assert sum((row.cost or Decimal(0) for row in rows), Decimal(0)) > 0
    assert not User.objects.filter(pk=user).exists()


def test_its_owner_deletes_it_with_the_password(writer: Api, staff: Client, word: str) -> None:
    look_at(staff, writer)
    group = Group.objects.create(name=f"group-{uuid.uuid4()}")
    group.user_set.add(writer.user)
    budget, user = Budget.objects.create(group=group, limit=100), writer.user.pk
    assert {"conversations_message", "extraction_item", "django_admin_log"} <= rows_with(word).keys()
    assert files_with(word)
    assert delete_me(writer, {}).status_code == 400
    assert delete_me(writer, {"password": "wrong"}).status_code == 403
    assert User.objects.get(pk=user).is_active
    done = delete_me(writer, {"password": PASSWORD})
    assert done.status_code == 202, done.text
    assert writer.get("me/").status_code == 401
    check_erased(user, word)
    erased = done.json()["erased"]
    assert done.json()["finished_at"] is not None
    assert (erased["conversations"], erased["turns"], erased["batches"], erased["feedback"]) == (4, 5, 2, 1)
    assert {
        "messages",
        "extractions",
        "items",
        "evaluations",
        "attachments",
        "tokens",
        "jobs",
        "imports",
    } <= erased.keys()
    budget.refresh_from_db()
    assert budget.held == 0
    assert budget.spent > 0


def test_staff_delete_it_after_confirming(writer: Api, staff: Client, word: str) -> None:
    look_at(staff, writer)
    user = writer.user.pk
    assert word in staff.get(f"/admin/conversations/user/{user}/delete/").content.decode()
    page = staff.post(f"/admin/conversations/user/{user}/delete/", {"post": "yes"}, follow=True).content.decode()
    assert "4 conversations" in page
    check_erased(user, word)
    report = Deletion.objects.get(kind="account", pseudonym=Usage.objects.filter(user_id=user)[0].username)
    assert str(report.pk) in staff.get("/admin/conversations/deletion/").content.decode()


def test_the_worker_goes_on_where_a_process_was_lost(writer: Api, word: str) -> None:
    user = writer.user.pk
    report = in_one_go(account_deletion.close_account, user=writer.user, cause=Deletion.Cause.COMMAND)
    until(lambda: writer.get("me/").status_code == 401)  # when the server has heard of it
    tasks.finish_deletions()
    report.refresh_from_db()
    assert report.finished_at is not None
    check_erased(user, word)


def test_a_session_that_has_just_begun_stands_for_the_password(server: ServerProcess, api: Api) -> None:
    browser = Client()
    browser.force_login(api.user, backend="conversations.api.authentication.LimitedPasswords")
    done = browser.delete("/api/me/")
    assert done.status_code == 202, done.content
    assert browser.get("/api/me/").status_code == 401
    assert done.json()["erased"]["sessions"] == 1


def test_staff_who_are_gone_have_no_name_in_anybodys_access_log(api: Api, word: str) -> None:
    turn = api.ask("Hello")
    staff = User.objects.create_superuser(f"{word}-staff", f"{word}@example.com")
    client = Client()
    client.force_login(staff)
    client.get(f"/admin/conversations/turn/{turn['id']}/change/")
    assert api.get("me/access-log/").json()["results"][0]["staff"] == staff.username
    call_command("delete_account", staff.username, "--yes")
    assert len(api.get("me/access-log/").json()["results"][0]["staff"]) == 32
    assert rows_with(word) == {}


def test_the_admins_log_is_read_on_whatever_the_name_was(staff: Client, api: Api) -> None:
    """The name may be a word of the log itself, or part of another name."""
    user = User.objects.create(username="object", email="name")
    other = User.objects.create(username=f"object-{uuid.uuid4().hex}")
    for each in (user, other):
        page = f"/admin/conversations/user/{each.pk}/change/"
        LogEntry.objects.log_actions(
            staff.session["_auth_user_id"],
            [each],
            CHANGE,
            [{"added": {"name": "budget", "object": f"1 USD for {each}"}}],
        )
        assert str(each) in staff.get(page.replace("change", "history")).content.decode()
    account_deletion.delete_account(user=user, cause=Deletion.Cause.STAFF)
    [entry] = LogEntry.objects.filter(object_id=user.pk)
    assert entry.object_repr == pseudonym_of(user.pk)
    assert entry.get_change_message() == f"Added budget \u201c1 USD for {pseudonym_of(user.pk)}\u201d."
    assert LogEntry.objects.get(object_id=other.pk).object_repr == other.username


def test_a_name_stands_in_the_ledger_as_long_as_somebody_bears_it(api: Api) -> None:
    turn = api.ask("Hello")
    with pytest.raises(IntegrityError, match="append-only"):
        Usage.objects.filter(turn=turn["id"]).update(username="0" * 32)
    opening = Opening.objects.create(owner=api.user, staff=api.user.username, kind="turn", object=turn["id"])
    with pytest.raises(IntegrityError, match="not to be changed"):
        Opening.objects.filter(pk=opening.pk).update(staff="0" * 32)


def test_what_was_said_in_anothers_conversation_stays_without_the_name(api: Api, other: Api, word: str) -> None:
    User.objects.filter(pk=other.user.pk).update(username=f"{word}-name")
    budget = Budget.objects.create(user=api.user, limit=100)
    conversation = api.conversation()
    share = {"user": str(other.user.pk), "role": "writer"}
    assert api.post(f"conversations/{conversation}/shares/", share).status_code == 201
    said = other.ask("From somebody", conversation)
    running = other.begin("Hello [[sandbox: words=400; pace=0.1]]", conversation)
    other.events(running["id"], limit=4)
    assert delete_me(other, {"password": PASSWORD}).status_code == 202
    assert rows_with(word) == {}
    turns = Turn.objects.filter(conversation=uuid.UUID(conversation))
    assert [(str(each.pk), each.status, each.user_id) for each in turns.order_by("pk")] == [
        (said["id"], "completed", api.user.pk),
        (running["id"], "cancelled", api.user.pk),
    ]
    assert Usage.objects.filter(turn__in=turns, user=other.user.pk).count() == 2
    assert api.ask("And now?", conversation)["status"] == "completed"
    budget.refresh_from_db()
    assert budget.spent == sum(row.cost or 0 for row in Usage.objects.filter(user=api.user))
