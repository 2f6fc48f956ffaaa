"""Real processes of the platform."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote, urlencode

import httpx2
import psutil

from config import local
from tests.ending import end_with_run
from tests.forked import Forked

ROOT = Path(__file__).resolve().parent.parent
STARTUP = 180  # seconds: other work may keep the machine busy

COMMANDS = {
    "uvicorn": ["manage.py", "serve", "--port", "{port}"],
    "two workers": ["manage.py", "serve", "--port", "{port}", "--workers", "2"],
    "uvicorn's own": ["-m", "uvicorn", "config.asgi:application", "--port", "{port}"],
    "watched": ["-m", "uvicorn", "tests.watched:application", "--port", "{port}"],
    "workers": ["-m", "uvicorn", "config.asgi:application", "--port", "{port}", "--workers", "2"],
    "daphne": ["-m", "daphne", "-b", "127.0.0.1", "-p", "{port}", "config.asgi:application"],
    "runner": ["manage.py", "runner"],
    "worker": ["manage.py", "worker"],
    "runserver": ["manage.py", "runserver", "--noreload", "{port}"],
}


def database_url(connection: Any) -> str:
    """Return the URL of the database that a Django connection uses."""
    params = connection.get_connection_params()
    query = {"host": params.get("host", ""), "port": params.get("port", "")}
    login = quote(params.get("user", "")) + (f":{quote(params['password'])}" if params.get("password") else "")
    return f"postgresql://{login}@/{params['dbname']}?{urlencode({k: v for k, v in query.items() if v})}"


def free_port() -> int:
    """Return a port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def living(processes: Iterable[psutil.Process], argument: str) -> list[psutil.Process]:
    """Return the running processes that have this command-line argument. Some may end meanwhile."""
    found = []
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            if process.status() != psutil.STATUS_ZOMBIE and argument in process.cmdline():
                found.append(process)
    return found


def processes_of(folder: str | Path) -> list[str]:
    """Return the command lines of the running processes that were started with this data folder."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            line = " ".join(process.cmdline())
            ours = str(folder) in line or process.environ().get("COLLOQUY_DATA_DIR") == str(folder)
            if ours and process.status() != psutil.STATUS_ZOMBIE:
                found.append(line)
    return found


FAST, IMMEDIATE = signal.SIGINT, signal.SIGQUIT


def restart_postgres(mode: signal.Signals = FAST, away: float = 0.0) -> None:
    """Stop the embedded PostgreSQL, and start it again after `away` seconds."""
    server = local.postgres()
    postmaster = server.get_postmaster_info().process
    assert postmaster is not None
    postmaster.send_signal(mode)
    postmaster.wait(20)
    time.sleep(away)
    server.start()


UNLIMITED = {
    f"COLLOQUY_{name}": "0"
    for name in ("TURNS_PER_MINUTE", "CONCURRENT_TURNS", "TOKENS_PER_MINUTE", "REQUESTS_PER_MINUTE", "FAILED_LOGINS")
}
"""Settings without limits per user, since tests do in a moment what takes users an hour."""


class ServerProcess:
    """A server process of the platform. Its output may go into a file, unless it starts processes of its own."""

    def __init__(
        self, kind: str, database: str, claude: str, output: Path | None = None, /, **environment: str
    ) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.ws_url = f"ws://127.0.0.1:{self.port}/ws/"
        self._serves = kind not in ("runner", "worker")
        self._arguments = [part.format(port=self.port) for part in COMMANDS[kind]]
        self._output = (str(output), str(output)) if output else None
        self._starts_others = kind in ("workers", "two workers")
        self._environment = {
            **os.environ,
            "DATABASE_URL": database,
            "ANTHROPIC_BASE_URL": claude,
            "ANTHROPIC_API_KEY": "test",
            "COLLOQUY_LOG_LEVEL": "WARNING",
            "COLLOQUY_TOOLS": "tests.tools",
            **UNLIMITED,
            **environment,
        }

    def __enter__(self) -> Self:
        self.start()
        self.wait()
        return self

    def start(self) -> None:
        """Start the process; after its end, start it anew."""
        self.process: Forked | subprocess.Popen[bytes]
        if self._starts_others:
            self.process = subprocess.Popen(
                [sys.executable, *self._arguments], cwd=ROOT, env=self._environment, preexec_fn=end_with_run
            )
        else:
            self.process = Forked(self._arguments, str(ROOT), self._environment, self._output)

    def wait(self) -> None:
        """Wait until the server responds. (Runners and workers have no HTTP server.)"""
        deadline = time.monotonic() + STARTUP
        with httpx2.Client(base_url=self.url, timeout=30, verify=False) as client:
            while self._serves:
                try:
                    if client.get("/healthz").status_code == 200:
                        return
                except httpx2.HTTPError:
                    if self.process.poll() is not None or time.monotonic() > deadline:
                        self.kill()
                        raise
                    time.sleep(0.1)

    def __exit__(self, *error: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """Kill the process by SIGKILL."""
        self.process.kill()
        self.process.wait()
