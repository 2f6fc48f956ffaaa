"""Ending processes that a test run has started when the run ends, even if it is killed."""

from __future__ import annotations

import ctypes
import signal
import sys
import threading
from multiprocessing import parent_process

PR_SET_PDEATHSIG = 1


def end_with_run() -> None:
    """Have the kernel end this process when its parent dies: the `preexec_fn` of a `Popen`. (Linux only.)"""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def kill_with_run() -> None:
    """Kill this `multiprocessing` process when the process that started it has died."""
    parent = parent_process()
    assert parent is not None

    def follow() -> None:
        parent.join()
        signal.raise_signal(signal.SIGKILL)

    threading.Thread(target=follow, daemon=True).start()
