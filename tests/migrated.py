"""The embedded PostgreSQL with the platform's tables: created once per run, and copied for each use."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import fasteners

from tests.commands import manage
from tests.waiting import until

# No fsync: the commits of a killed server survive all the same; only a power failure would lose them.
CONF = "\nfsync = off\nfull_page_writes = off\n"


def give_postgres(folder: Path) -> None:
    """Copy a migrated, stopped PostgreSQL into a data folder that has none; its first user starts it."""
    assert not (folder / "postgres").exists(), "a PostgreSQL would be copied over another one"
    made = Path(os.environ["TEST_RUN_DIR"], "migrated")
    with fasteners.InterProcessLock(f"{made}.lock"):
        if not made.exists():
            _make(made)
    subprocess.run(["cp", "-a", made / "postgres", folder], check=True)  # with its owner, who may not be root


def _make(made: Path) -> None:
    folder = made.with_name("making")
    done = manage(folder, "migrate", "--skip-checks", "--verbosity", "0")
    assert done.returncode == 0, done.stderr
    until(lambda: not (folder / "postgres" / "postmaster.pid").exists())
    with (folder / "postgres" / "postgresql.conf").open("a") as file:
        file.write(CONF)
    folder.rename(made)
