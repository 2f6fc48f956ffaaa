"""`manage.py` as a person runs it: in a folder of its own, with nothing of the test run's environment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

from tests.ending import end_with_run
from tests.forked import Forked
from tests.processes import ROOT, STARTUP, free_port

OURS = ("DATABASE_URL", "ANTHROPIC_", "DJANGO_", "COLLOQUY_")
LEAVING = 120  # seconds that a process may take to end on a busy machine


def environment(folder: str | Path, **variables: str) -> dict[str, str]:
    """Return what a new user's shell has, and the data folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    return {**kept, "COLLOQUY_DATA_DIR": str(folder), "COLLOQUY_SANDBOX_PACE": "0", **variables}


def manage(folder: str | Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command that ends by itself."""
    with tempfile.TemporaryDirectory() as written:
        out, err = Path(written, "out"), Path(written, "err")
        process = Forked(["manage.py", *arguments], str(ROOT), environment(folder, **variables), (str(out), str(err)))
        code = process.wait(STARTUP)
        return subprocess.CompletedProcess(arguments, code, out.read_text(), err.read_text())


class Up:
    """A command that serves: `up`, unless another is named."""

    def __init__(self, folder: str, *command: str, **variables: str) -> None:
        self.environment = environment(folder, **variables)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.folder = Path(folder)
        arguments = command or ("up", "--port", str(self.port))
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", *(argument.format(port=self.port) for argument in arguments)],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=end_with_run,
        )

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
        """Ends it; what it printed."""
        self.process.send_signal(number)
        output, _ = self.process.communicate(timeout=LEAVING)
        return output

    def run(self, *command: str) -> str:
        done = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=STARTUP)
        assert done.returncode == 0, done.stderr
        return done.stdout


@contextmanager
def running_up() -> Iterator[Up]:
    """Run `up` in a folder of its own until the end of the block, unless it has ended by then."""
    with tempfile.TemporaryDirectory(prefix="cq", ignore_cleanup_errors=True) as folder:
        running = Up(folder)
        running.wait_until_up()
        yield running
        if running.process.poll() is None:
            running.stop()
