"""Python processes that start fast: they are forked from one that has already done the slowest imports.

Each runs as `python <arguments>` would, with settings from its own environment.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
from multiprocessing import forkserver

from tests.ending import end_with_run, kill_with_run

IMPORTED = [
    "tests.uncollected",
    "tests.django_set_up",
    "aiohttp",
    "anthropic",
    "channels.routing",
    "config.bodies",
    "config.chat.prompt",
    "config.chat.screen",
    "config.handler",
    "config.health",
    "config.management.commands.serve",
    "config.management.commands.up",
    "config.migrated",
    "config.protocols",
    "config.request_log",
    "config.security",
    "config.shutdown",
    "config.static",
    "config.urls",
    "conversations.archives.import_work",
    "conversations.claude.transport",
    "conversations.running.engine",
    "conversations.running.title_work",
    "conversations.ws.consumer",
    "conversations.ws.routing",
    "croniter",
    "daphne.server",
    "django.contrib.auth.middleware",
    "django.contrib.messages.middleware",
    "django.contrib.messages.storage.fallback",
    "django.contrib.sessions.backends.db",
    "django.contrib.sessions.middleware",
    "django.core.management.commands.migrate",
    "django.db.backends.postgresql.base",
    "django.middleware.clickjacking",
    "django.middleware.common",
    "django.middleware.security",
    "django.test",
    "extraction.work",
    "genai_prices.data",
    "httpcore2",
    "PIL.Image",
    "pygments.formatters",
    "pygments.lexers",
    "requests",
    "simplejson",
    "uvicorn.config",
    "uvicorn.lifespan.on",
    "uvicorn.loops.uvloop",
    "uvicorn.protocols.http.httptools_impl",
    "uvicorn.protocols.websockets.websockets_sansio_impl",
    "uvloop",
    "websockets",
    "yaml",
]

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(IMPORTED)


def prepare() -> None:
    """Start the process that others are forked from; it imports in the background."""
    forkserver.ensure_running()


class Forked:
    """A Python process, with the interface of `subprocess.Popen`.

    `output` has the paths of files for stdout and stderr, `terminal` that of a terminal; the default is the run's own.
    """

    def __init__(
        self,
        arguments: list[str],
        cwd: str,
        environment: dict[str, str],
        output: tuple[str, str] | None = None,
        terminal: str | None = None,
    ) -> None:
        self._process = _context.Process(target=_run, args=(arguments, cwd, environment, output, terminal))
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("python", timeout or 0)
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _run(
    arguments: list[str],
    cwd: str,
    environment: dict[str, str],
    output: tuple[str, str] | None,
    terminal: str | None,
) -> None:
    from tests import django_set_up  # importing it at the top would set Django up in the tests' process, too

    gc.freeze()  # scanning imported modules for garbage takes as long as the rest of a start
    gc.enable()
    kill_with_run()
    for descriptor, path in enumerate(output or (), 1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), descriptor)
    if terminal:
        _take(terminal)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.path.insert(0, cwd)
    if not django_set_up.take_settings():
        end_with_run()
        os.execv(sys.executable, [sys.executable, *arguments])
    if arguments[0] == "-m":
        sys.argv = arguments[1:]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = arguments
        runpy.run_path(arguments[0], run_name="__main__")


def _take(terminal: str) -> None:
    """Make a terminal the controlling terminal and the standard streams of this process."""
    os.setsid()
    opened = os.open(terminal, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(opened, descriptor)
    sys.stdin, sys.stdout, sys.stderr = (os.fdopen(each, mode, 1) for each, mode in enumerate("rww"))
