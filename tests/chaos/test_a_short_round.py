"""One round of chaos, in a process of its own with its own Postgres."""

from __future__ import annotations

import os
from pathlib import Path

from tests.environment import folder
from tests.forked import Forked
from tests.processes import ROOT


def test_no_invariant_is_violated(tmp_path: Path) -> None:
    out, err = tmp_path / "out", tmp_path / "err"
    arguments = ["-m", "tests.chaos", "--rounds", "1", "--seed", "11"]
    environment = {**os.environ, "COLLOQUY_DATA_DIR": folder("", os.environ["TEST_RUN_DIR"])}
    process = Forked(arguments, str(ROOT), environment, (str(out), str(err)))
    code = process.wait(280)
    assert "0 violations" in out.read_text(), out.read_text() + err.read_text()[-5000:]
    assert code == 0
