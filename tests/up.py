"""Commands of `manage.py` that serve until they are stopped, run as by a user in a folder of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

from tests import migrated
from tests.commands import environment
from tests.ending import end_with_run
from tests.forked import Forked
from tests.processes import ROOT, STARTUP, free_port

LEAVING = 120  # seconds that a process may take to end on a busy machine


class Up:
    """A process of a command that serves: `up`, unless another is named."""

    process: Forked | subprocess.Popen[bytes]

    def __init__(self, folder: str, *command: str, **variables: str) -> None:
        self.environment = environment(folder, **variables)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.folder = Path(folder)
        self._output = Path(os.environ["TEST_RUN_DIR"], f"{uuid.uuid4().hex}.output")
        given = command or ("up", "--port", "{port}")
        arguments = ["manage.py", *(argument.format(port=self.port) for argument in given)]
        self.process = self._start(arguments)

    def _start(self, arguments: list[str]) -> Forked | subprocess.Popen[bytes]:
        return Forked(arguments, str(ROOT), self.environment, (str(self._output), str(self._output)))

    def printed(self) -> str:
        """Return the output so far."""
        return self._output.read_text() if self._output.exists() else ""

    def wait_until_up(self) -> None:
        deadline = time.monotonic() + STARTUP
        with httpx2.Client(base_url=self.url, timeout=30, verify=False) as client:
            while time.monotonic() < deadline and self.process.poll() is None:
                try:
                    client.get("/api/me/")
                    return
                except httpx2.HTTPError:
                    time.sleep(0.1)
        raise AssertionError(self.stop())

    def stop(self, number: int = signal.SIGTERM) -> str:
        """Stop the process by a signal; return its output."""
        self.process.send_signal(number)
        self.process.wait(LEAVING)
        return self.printed()

    def run(self, *command: str) -> str:
        done = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=STARTUP)
        assert done.returncode == 0, done.stderr
        return done.stdout


class UpFromNothing(Up):
    """The same as a new Python process, not a forked one: for tests of starting and stopping themselves."""

    def _start(self, arguments: list[str]) -> Forked | subprocess.Popen[bytes]:
        with self._output.open("wb") as output:
            return subprocess.Popen(
                [sys.executable, *arguments],
                cwd=ROOT,
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                preexec_fn=end_with_run,
            )


@contextmanager
def running_up(from_nothing: bool = False) -> Iterator[Up]:
    """Run `up` in a folder of its own until the end of the block; it may have ended before.

    `from_nothing` creates the database, too; otherwise the tables exist already.
    """
    with tempfile.TemporaryDirectory(prefix="cq", ignore_cleanup_errors=True) as folder:
        if not from_nothing:
            migrated.give_postgres(Path(folder))
        running = (UpFromNothing if from_nothing else Up)(folder)
        running.wait_until_up()
        yield running
        if running.process.poll() is None:
            running.stop()
