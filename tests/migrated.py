"""The embedded PostgreSQL with the platform's tables: made once in a run, copied by whoever needs one."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import fasteners

from tests.commands import manage
from tests.waiting import until

# Nothing waits for the disk: what a killed server has committed is there all the same, but for a loss of power.
CONF = "\nfsync = off\nfull_page_writes = off\n"


def give_postgres(folder: Path) -> None:
    """Put a PostgreSQL into a data folder that has none, migrated and stopped: the next to use it starts it."""
    made = Path(os.environ["TEST_RUN_DIR"], "migrated")
    with fasteners.InterProcessLock(f"{made}.lock"):
        if not made.exists():
            _make(made)
    subprocess.run(["cp", "-a", made / "postgres", folder], check=True)  # with its owner, who is not the superuser


def _make(made: Path) -> None:
    folder = made.with_name("making")
    done = manage(folder, "migrate", "--skip-checks", "--verbosity", "0")
    assert done.returncode == 0, done.stderr
    until(lambda: not (folder / "postgres" / "postmaster.pid").exists())
    with (folder / "postgres" / "postgresql.conf").open("a") as file:
        file.write(CONF)
    folder.rename(made)
