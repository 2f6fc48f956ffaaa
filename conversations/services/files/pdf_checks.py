"""Checking that a PDF can be opened, in a child process with limits."""

from __future__ import annotations

import logging
import os
import subprocess
import sys

from django.conf import settings

from conversations.errors import ColloquyError, Unavailable, UnsupportedMediaType

logger = logging.getLogger(__name__)

SECONDS = 10  # of CPU time
MEGABYTES = 1024
PATIENCE = 60  # seconds, of which a busy machine may need many
RETRY = 30  # seconds

INHERITED = ("LANG", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH", "VIRTUAL_ENV")
"""The environment variables that the process gets: none of the platform's secrets."""


def check_opens(data: bytes) -> None:
    """Refuse a PDF that Claude could not open. Not for the event loop: it waits for a process.

    Raises UnsupportedMediaType where the PDF is broken, encrypted, too long, or too expensive to open; Unavailable
    where the machine is too busy to tell; ColloquyError where the process failed by a fault of ours, which is logged.
    """
    try:
        done = _opened(data)
    except subprocess.TimeoutExpired:
        raise Unavailable("The server is too busy to open the PDF: try again.", retry_after=RETRY) from None
    if done.returncode < 0:  # a signal: the kernel's, at a limit, or that of a parser which has crashed
        raise UnsupportedMediaType("The PDF can't be opened with the time and memory that a file may take.")
    if done.returncode:
        logger.error("The process that opens PDFs failed with %d: %s", done.returncode, done.stderr.decode()[-2000:])
        raise ColloquyError
    if done.stdout:
        raise UnsupportedMediaType(done.stdout.decode())


def _opened(data: bytes) -> subprocess.CompletedProcess[bytes]:
    """Return the result of a process that has opened a PDF. Raise TimeoutExpired after `PATIENCE`."""
    command = [sys.executable, "-m", "conversations.pdf_check_process", str(SECONDS), str(MEGABYTES)]
    environment = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return subprocess.run(  # noqa: S603 - the command is ours; the file comes in at stdin
        command,
        input=data,
        capture_output=True,
        cwd=settings.BASE_DIR,
        env=environment,
        timeout=PATIENCE,
        check=False,
    )
