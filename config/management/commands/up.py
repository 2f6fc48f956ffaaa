from __future__ import annotations

import os
import secrets
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import connection, connections

from config import local
from config.server import serve
from conversations.models import Conversation, User
from conversations.services import accounts, conversations

LAST_JOBS = 10  # seconds that the worker gets to finish what it is at
LOOK = 1.0  # seconds between looks whether it lives


class Command(BaseCommand):
    """`manage.py up`."""

    help = "The whole platform in one terminal: database, migrations, first user, sandbox, web, runner and worker."

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to listen."""
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args: Any, **options: Any) -> None:
        """Everything, until Ctrl-C or SIGTERM."""
        try:
            call_command("migrate", interactive=False, verbosity=0)
            user = self._first_user()
            self._greet(user, options["host"], options["port"])
            close_connections()
            with worker():
                serve(options["host"], options["port"])
        finally:
            close_connections()
            local.stop_sandbox()
            if not os.environ.get("DATABASE_URL"):
                local.stop_postgres()
            self.stdout.write("Stopped.")

    def _first_user(self) -> User:
        known = User.objects.filter(is_superuser=True).order_by("date_joined").first()
        if known:
            return known
        name = os.environ.get("DJANGO_SUPERUSER_USERNAME") or "admin"
        given = os.environ.get("DJANGO_SUPERUSER_PASSWORD")
        password = given or secrets.token_urlsafe(12)
        user = User.objects.create_superuser(name, os.environ.get("DJANGO_SUPERUSER_EMAIL", ""), password)
        shown = "as given" if given else f"{password} (shown only this once)"
        self.stdout.write(f"First user: {name}, password: {shown}")
        return user

    def _greet(self, user: User, host: str, port: int) -> None:
        url = f"http://{host}:{port}"
        token = local.token(lambda: accounts.issue_token(user=user)[1], accounts.is_valid)
        local.record_server(url)
        conversation = Conversation.objects.visible_to(user).first() or conversations.create(
            owner=user, fields={"title": "First conversation"}
        )
        if settings.SANDBOX:
            self.stdout.write(
                self.style.WARNING(
                    f"No ANTHROPIC_API_KEY: the sandbox at {local.sandbox_url()} answers, nothing comes from Claude."
                )
            )
        self.stdout.write(
            f"Colloquy is at {url}\n"
            f"  admin  {url}/admin/  (log in as {user.get_username()})\n"
            f"  API    {url}/api/docs/\n"
            "Ask something:\n"
            f"  curl -N {url}/api/conversations/{conversation.pk}/turns/ -H 'Authorization: Bearer {token}' "
            "-H 'Accept: text/event-stream' -H 'Content-Type: application/json' -d '{\"content\": \"Hello\"}'\n"
            '  python manage.py chat "Hello"\n'
            "Ctrl-C stops it."
        )
        self.stdout.flush()


@contextmanager
def worker() -> Iterator[None]:
    """A worker beside the server, as long as that serves."""
    served = threading.Event()
    keeping = threading.Thread(target=keep_working, args=(served,))
    keeping.start()
    try:
        yield
    finally:
        served.set()
        keeping.join()


def keep_working(served: threading.Event) -> None:
    """Runs a worker until the server has served, and another one where it dies: its jobs are recovered by that."""
    while not served.is_set():
        process = subprocess.Popen([sys.executable, sys.argv[0], "worker"])  # noqa: S603 - ourselves
        while process.poll() is None and not served.wait(LOOK):
            pass
        if process.poll() is None:
            end(process)
        elif process.returncode == 0:  # it was asked to stop, as Ctrl-C asks all of a terminal's processes
            return
        served.wait(LOOK)


def end(process: subprocess.Popen[bytes]) -> None:
    """Lets a worker finish what it is at, for a while."""
    process.terminate()
    try:
        process.wait(LAST_JOBS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def close_connections() -> None:
    """Gives the database up, pool and all."""
    connections.close_all()
    connection.close_pool()  # type: ignore[attr-defined]
