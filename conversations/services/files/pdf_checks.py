"""Whether a PDF can be opened, found out in a process of its own, which is given up where it takes too much."""

from __future__ import annotations

import os
import subprocess
import sys

from django.conf import settings

from conversations.errors import UnsupportedMediaType

SECONDS = 10  # of CPU time
MEGABYTES = 1024
PATIENCE = 60  # seconds, of which a busy machine may need many

INHERITED = ("LANG", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH", "VIRTUAL_ENV")
"""What the process is given of the environment: none of the platform's secrets."""


def check_opens(data: bytes) -> None:
    """Refuse a PDF that Claude could not open. Not for the event loop: it waits for a process.

    Raises UnsupportedMediaType where the PDF is broken, encrypted, too long, or too expensive to open.
    """
    command = [sys.executable, "-m", "conversations.pdf_check_process", str(SECONDS), str(MEGABYTES)]
    environment = {name: os.environ[name] for name in INHERITED if name in os.environ}
    try:
        done = subprocess.run(  # noqa: S603 - the command is ours; the file comes in at stdin
            command,
            input=data,
            capture_output=True,
            cwd=settings.BASE_DIR,
            env=environment,
            timeout=PATIENCE,
            check=True,
        )
    except subprocess.SubprocessError:
        raise UnsupportedMediaType("The PDF can't be opened with the time and memory that a file may take.") from None
    if done.stdout:
        raise UnsupportedMediaType(done.stdout.decode())
