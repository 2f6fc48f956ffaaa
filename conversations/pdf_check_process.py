"""A process that opens one PDF from stdin, and writes its error, if any, to stdout.

Run as `python -m conversations.pdf_check_process SECONDS MEGABYTES` by conversations/services/files/pdf_checks.py. It
ends by a signal if it exceeds these limits of CPU time or memory, and with a status above 0 only because of a bug.
"""

from __future__ import annotations

import os
import resource
import sys

from conversations.errors import UnsupportedMediaType
from conversations.pdf_opening import open_pdf

NICE = 10  # the processes that serve users come first


def main(seconds: int, megabytes: int) -> None:
    """Open the PDF within limits of CPU time and memory."""
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(NICE)
    try:
        open_pdf(sys.stdin.buffer.read()).close()
    except UnsupportedMediaType as error:
        sys.stdout.write(error.message)
    except MemoryError:
        os.abort()  # ends by a signal, like a crash of the parser or an exceeded limit


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
