"""The processes that the benchmarks measure: the platform, PostgreSQL, and an Express relay as a baseline."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx2
import psutil

HERE = Path(__file__).resolve().parent


@contextmanager
def express(upstream: str) -> Iterator[tuple[psutil.Process, int]]:
    """Run the Express relay, which stores nothing, in front of an upstream; yield its process and its port."""
    from tests.processes import free_port

    with tempfile.TemporaryDirectory() as folder:
        for name in ("package.json", "relay.js"):
            shutil.copy(HERE / "express" / name, folder)
        subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund"], cwd=folder, check=True)
        port = free_port()
        environment = {**os.environ, "PORT": str(port), "ANTHROPIC_BASE_URL": upstream}
        process = subprocess.Popen(["node", "relay.js"], cwd=folder, env=environment)
        try:
            wait_for(f"http://127.0.0.1:{port}/healthz")
            yield psutil.Process(process.pid), port
        finally:
            process.kill()
            process.wait()


def wait_for(url: str) -> None:
    """Wait until the URL responds with a status below 400. Raise RuntimeError after about ten seconds."""
    for _ in range(100):
        try:
            httpx2.get(url).raise_for_status()
            return
        except httpx2.HTTPError:
            time.sleep(0.1)
    raise RuntimeError(f"{url} does not answer")


def spent(process: psutil.Process) -> float:
    """Return the seconds of CPU that a process has used."""
    times = process.cpu_times()
    return times.user + times.system


def spent_by_all(process: psutil.Process) -> float:
    """Return the seconds of CPU that a process and its children have used."""
    return spent(process) + sum(spent(child) for child in process.children(recursive=True))


def spent_by_postgres() -> float:
    """Return the seconds of CPU that the embedded PostgreSQL has used, ended back ends included."""
    from config import local

    postmaster = local.postgres().get_postmaster_info().process
    assert postmaster is not None
    while True:
        times = postmaster.cpu_times()
        ended = times.children_user + times.children_system
        with suppress(psutil.NoSuchProcess):  # a process that has just ended is counted as ended the next time
            return spent(postmaster) + ended + sum(spent(child) for child in postmaster.children())


def machine() -> str:
    """Return one line that describes the machine and its load."""
    names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    processor = names[0].split(":")[1].strip() if names else platform.processor()
    load = os.getloadavg()[0]
    return f"{os.cpu_count()} cores ({processor}), Python {platform.python_version()}, load {load:.1f} at the start"
