"""A round of chaos, in a process and with a Postgres of its own."""

from __future__ import annotations

import subprocess
import sys

from tests.processes import ROOT


def test_no_invariant_is_violated() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "tests.chaos", "--rounds", "1", "--seed", "11"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert "0 violations" in run.stdout, run.stdout + run.stderr[-5000:]
    assert run.returncode == 0
