"""The worker runs scheduled jobs; another worker takes over after a crash, and a job that kills workers is given up."""

from __future__ import annotations

import os
import signal
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.db.models.signals import post_delete
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from config import tasks
from conversations.models import Audit, Conversation
from conversations.sandbox.server import Sandbox
from tests.clients import Api
from tests.processes import ServerProcess, restart_postgres
from tests.waiting import until


def defer(name: str) -> int:
    """Queue a job now, as its schedule would; return its id."""
    from procrastinate.contrib.django import app

    return app.tasks[name].configure().defer(timestamp=0)


def status(job: int) -> str:
    return str(ProcrastinateJob.objects.get(pk=job).status)


def waits_for(table: str) -> bool:
    """Return whether anybody waits for a lock of the table."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = %s::regclass", [table])
        return bool(cursor.fetchone()[0])


def silence(job: int) -> None:
    """Make a job's worker look as if its last heartbeat was an hour ago."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 hour' "
            "WHERE id = (SELECT worker_id FROM procrastinate_jobs WHERE id = %s)",
            [job],
        )


def test_it_does_the_nightly_jobs_and_another_goes_on_where_it_was_killed(database: str, sandbox: Sandbox) -> None:
    with ServerProcess("worker", database, sandbox.url) as first:
        done = defer("check_ledger")
        until(lambda: status(done) == "succeeded")
        assert Audit.objects.exists()
        with psycopg.connect(database) as other:
            other.execute("LOCK TABLE conversations_audit IN ACCESS EXCLUSIVE MODE")
            held = defer("check_ledger")
            until(lambda: status(held) == "doing")
            until(lambda: waits_for("conversations_audit"))
            first.kill()
        assert status(held) == "doing"
        silence(held)
        with ServerProcess("worker", database, sandbox.url):
            defer("recover")
            until(lambda: status(held) == "succeeded")
            assert ProcrastinateJob.objects.get(pk=held).attempts == 2


def test_what_kills_its_workers_is_given_up(database: str, sandbox: Sandbox) -> None:
    id = left("check_ledger", "doing", tasks.ATTEMPTS - 1)
    with ServerProcess("worker", database, sandbox.url):
        defer("recover")
        until(lambda: status(id) == "failed")


def left(name: str, status: str, attempts: int = 0) -> int:
    """Insert a job that no worker works on, scheduled in an hour; return its id."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_jobs (task_name, queueing_lock, queue_name, args, status, attempts, "
            "scheduled_at) VALUES (%(name)s, %(name)s, 'default', '{\"timestamp\": 0}', %(status)s, %(attempts)s, "
            "now() + interval '1 hour') RETURNING id",
            {"name": name, "status": status, "attempts": attempts},
        )
        return int(cursor.fetchone()[0])


def test_one_that_is_queued_again_already_keeps_no_other_from_being_recovered(database: str, sandbox: Sandbox) -> None:
    dead, queued, other = left("check_ledger", "doing"), left("check_ledger", "todo"), left("remove_unused", "doing")
    with ServerProcess("worker", database, sandbox.url):
        defer("recover")
        until(lambda: status(other) == "succeeded")
        assert (status(dead), status(queued)) == ("failed", "todo")
    ProcrastinateJob.objects.filter(pk=queued).delete()


@pytest.mark.skipif(bool(os.environ.get("DATABASE_URL")), reason="only our own Postgres may be restarted")
def test_it_goes_on_when_postgres_has_been_away(database: str, sandbox: Sandbox) -> None:
    with ServerProcess("worker", database, sandbox.url) as worker:
        done = defer("check_ledger")
        until(lambda: status(done) == "succeeded")
        connection.close()
        restart_postgres(away=1)
        connection.pool.check()  # type: ignore[attr-defined]
        done = defer("check_ledger")
        until(lambda: status(done) == "succeeded")
        worker.process.send_signal(signal.SIGTERM)
        assert worker.process.wait(10) == 0


def test_old_conversations_go_where_they_are_not_kept_for_ever(api: Api, settings: Any) -> None:
    old, new = api.conversation(), api.conversation()
    Conversation.objects.filter(pk=old).update(updated_at=timezone.now() - timedelta(days=3650))
    tasks.remove_old()
    assert Conversation.objects.filter(pk=old).exists()
    settings.COLLOQUY_KEEP_DAYS = 3000
    tasks.remove_old()
    assert [Conversation.objects.filter(pk=each).exists() for each in (old, new)] == [False, True]


def test_what_somebody_goes_on_with_at_night_stays(api: Api, settings: Any) -> None:
    settings.COLLOQUY_KEEP_DAYS = 3000
    ids = [api.conversation() for _ in range(10)]
    Conversation.objects.filter(pk__in=ids).update(updated_at=timezone.now() - timedelta(days=3650))
    deleted: list[str] = []

    def revive(instance: Conversation, **_: Any) -> None:
        """Continue all other conversations, as their users might at the same moment."""
        deleted.append(str(instance.pk))
        Conversation.objects.filter(pk__in=ids).exclude(pk__in=deleted).update(updated_at=timezone.now())

    post_delete.connect(revive, sender=Conversation)
    try:
        tasks.remove_old()
    finally:
        post_delete.disconnect(revive, sender=Conversation)
    assert len(deleted) == 1
    assert Conversation.objects.filter(pk__in=ids).count() == 9
