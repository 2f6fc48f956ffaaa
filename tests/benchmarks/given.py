"""Set-up of the benchmarks: a migrated database, users with conversations, and the paced upstream."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def prepared() -> Iterator[str]:
    """Set Django up and migrate the database; yield its URL, and stop PostgreSQL at the end."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from config import local
    from tests.processes import database_url

    try:
        call_command("migrate", interactive=False, verbosity=0)
        yield database_url(connection)
    finally:
        local.stop_postgres()


def users(streams: int) -> tuple[str, list[str]]:
    """Create a user with a conversation for each stream; return a token and the conversations' ids."""
    from conversations.models import Conversation, User
    from conversations.services.accounts import accounts

    user = User.objects.create(username=f"load-{time.monotonic_ns()}")
    conversations = Conversation.objects.bulk_create(Conversation(owner=user) for _ in range(streams))
    return accounts.issue_token(user=user)[1], [str(each.pk) for each in conversations]


@contextmanager
def paced_upstream() -> Iterator[str]:
    """Run a Messages API that sends 30 deltas a second on every stream; yield its URL."""
    from tests.processes import free_port

    port = free_port()
    upstream = subprocess.Popen([sys.executable, "-m", "tests.benchmarks.upstream", str(port)])
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        upstream.kill()
        upstream.wait()
