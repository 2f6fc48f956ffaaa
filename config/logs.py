"""The format of the log."""

from __future__ import annotations

import logging
import re

SECRETS = re.compile(
    r"""(\b(?:ticket|token|password)["']?\s*[=:]\s*["']?|\bbearer\s+|colloquy_(?=[0-9a-f]{16}))[^\s"'&,;}]+""",
    re.IGNORECASE,
)


class Redacting(logging.Formatter):
    """A formatter that removes tickets, tokens and passwords from messages, URLs and tracebacks."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as a line, or as several with a traceback."""
        return SECRETS.sub(r"\1[redacted]", super().format(record))
