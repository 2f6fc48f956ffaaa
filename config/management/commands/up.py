from __future__ import annotations

import os
import secrets
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import fasteners
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.management.commands import migrate
from django.db import connection, connections
from django.db.migrations import Migration

from config import local
from config.migrated import missing_migrations
from conversations.models import User

LAST_JOBS = 10  # seconds for the worker to finish its jobs
LOOK = 1.0  # seconds between checks whether the worker lives


class Command(BaseCommand):
    """The command `manage.py up`: run the whole platform in one terminal."""

    help = "Starts the whole platform: database, migrations, first user, sandbox, web server, runner and worker."
    requires_system_checks = []  # they would delay the first line of output by their imports

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the address and the port."""
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args: object, **options: Any) -> None:
        """Run everything until Ctrl-C or SIGTERM."""
        self._say(f"Colloquy is starting, with its data in {shown(local.data_dir())}.")
        alone = fasteners.InterProcessLock(str(local.data_dir() / "up.lock"))
        if not alone.acquire(blocking=False):
            raise CommandError(already_running())
        try:
            self._run(options["host"], options["port"])
        finally:
            alone.release()

    def _run(self, host: str, port: int) -> None:
        from config.web_server import bound, serve  # their imports would delay the first line of output

        listening = bound(host, port)
        url = f"http://{host}:{listening.getsockname()[1]}"
        try:
            self._start_servers()
            self._prepare_database()
            lines = self._first_steps(url)
            with worker() as start_worker:

                def ready() -> None:
                    self._say(*lines)
                    start_worker()

                serve(listening, ready=ready)
        finally:
            self._leave()

    def _start_servers(self) -> None:
        """Begin to start what runs beside us, and import meanwhile what serves; whoever needs a server waits for it."""
        if settings.SANDBOX:
            self._say("Starting the sandbox.")
            in_background(local.sandbox_url)
        if not os.environ.get("DATABASE_URL"):
            self._say("Starting PostgreSQL.")
            in_background(local.postgres)
        import_module("config.asgi")

    def _prepare_database(self) -> None:
        if os.environ.get("DATABASE_URL"):
            self._say("Connecting to PostgreSQL.")
        if missing := missing_migrations():
            call_command(Migrate(len(missing), self._say), interactive=False, verbosity=0)

    def _first_steps(self, url: str) -> list[str]:
        """Make what there is to begin with; return what to say once it is served."""
        from conversations.models import Conversation, Right, User
        from conversations.services import conversations
        from conversations.services.accounts import accounts

        user = User.objects.filter(is_superuser=True).order_by("date_joined").first() or self._first_user()
        token, new = local.token(lambda: accounts.issue_token(user=user)[1], accounts.is_valid_token)
        local.record_server(url)
        conversation = Conversation.objects.open_to(user, Right.OWN).first() or conversations.create(
            owner=user, fields={"title": "First conversation"}
        )
        asking = local.record_request(f"{url}/api/conversations/{conversation.pk}/turns/", token)
        close_connections()
        told = ["  token, shown only this once:", token] if new else []
        return [*greeting(url, user.get_username(), asking), *told, "Ctrl-C stops it."]

    def _first_user(self) -> User:
        from conversations.models import User

        self._say("Creating the first user.")
        name = os.environ.get("DJANGO_SUPERUSER_USERNAME") or "admin"
        given = os.environ.get("DJANGO_SUPERUSER_PASSWORD")
        password = given or secrets.token_urlsafe(12)
        user = User.objects.create_superuser(name, os.environ.get("DJANGO_SUPERUSER_EMAIL", ""), password)
        self._say(f"First user: {name}, password: {'as given' if given else f'{password} (shown only this once)'}")
        return user

    def _leave(self) -> None:
        close_connections()
        shared = {"the sandbox": local.stop_sandbox(), "PostgreSQL": local.stop_postgres()}
        if others := " and ".join(name for name, used in shared.items() if used):
            self._say(f"Other processes use {others}, and it runs as long as they do.")
        self._say("Stopped.")

    def _say(self, *lines: str) -> None:
        for line in lines:
            self.stdout.write(line)
        self.stdout.flush()


class Migrate(migrate.Command):
    """Django's `migrate`, telling how far it is."""

    def __init__(self, number: int, say: Callable[[str], None]) -> None:
        super().__init__()
        self._number, self._say, self._done = number, say, 0

    def migration_progress_callback(self, action: str, migration: Migration | None = None, fake: bool = False) -> None:
        """Count what is applied."""
        if action == "apply_start" and migration is not None:
            self._done += 1
            self._say(f"Applying migration {self._done} of {self._number}: {migration.app_label} {migration.name}")


def already_running() -> str:
    """Return what to say where another `up` runs in this folder."""
    url, _ = local.recorded_server()
    try:
        urllib.request.urlopen(f"{url}/healthz", timeout=LOOK).close()  # noqa: S310 - what the other one recorded
    except (OSError, ValueError):
        return f"Colloquy is already starting or stopping with the data in {local.DATA_DIR}."
    return f"Colloquy is already running at {url}, with the data in {local.DATA_DIR}."


def greeting(url: str, user: str, asking: Path) -> list[str]:
    """Return what to do next, in lines that fit into a terminal."""
    sandbox = "There is no ANTHROPIC_API_KEY: a sandbox answers, which is not Claude."
    return [
        *([sandbox] if settings.SANDBOX else []),
        f"Colloquy is ready at {url}",
        f"  admin  {url}/admin/  (log in as {user})",
        f"  API    {url}/api/docs/",
        "Ask something, in another terminal:",
        f'  curl -N -K {shown(asking)} -d \'{{"content": "Hello"}}\'',
        '  python manage.py chat "Hello"',
    ]


def shown(path: Path) -> str:
    """Return a path as it is shorter to type: from here, or whole."""
    return min(str(path), os.path.relpath(path), key=len)


def in_background(start: Callable[[], object]) -> None:
    """Start a server in a thread. Where that fails, it fails again for whoever needs the server, and is told there."""

    def attempt() -> None:
        with suppress(Exception):
            start()

    threading.Thread(target=attempt, daemon=True).start()


@contextmanager
def worker() -> Iterator[Callable[[], None]]:
    """Give what starts a worker beside the server; it works as long as that serves."""
    served = threading.Event()
    keeping = threading.Thread(target=keep_working, args=(served,))
    try:
        yield keeping.start
    finally:
        served.set()
        if keeping.ident is not None:
            keeping.join()


def keep_working(served: threading.Event) -> None:
    """Run a worker until the server has served, and another one where it dies: its jobs are recovered by that."""
    while not served.is_set():
        process = subprocess.Popen(  # noqa: S603 - ourselves
            [sys.executable, sys.argv[0], "worker", "--with-parent"], stdin=subprocess.PIPE
        )
        while process.poll() is None and not served.wait(LOOK):
            pass
        if process.poll() is None:
            end(process)
        elif process.returncode == 0:  # it was asked to stop, as Ctrl-C asks all of a terminal's processes
            return
        served.wait(LOOK)


def end(process: subprocess.Popen[bytes]) -> None:
    """Let a worker finish what it is at, for a while."""
    process.terminate()
    try:
        process.wait(LAST_JOBS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def close_connections() -> None:
    """Give the database up, pool and all."""
    connections.close_all()
    connection.close_pool()  # type: ignore[attr-defined]
