"""Adding the ids of request, turn and user to the lines of the log."""

from __future__ import annotations

import logging
from contextvars import ContextVar

# The dict is shared by all tasks and threads that copy the context: a field set by one of them is in all their lines.
_about: ContextVar[dict[str, object] | None] = ContextVar("about", default=None)


def begin() -> None:
    """Reset the fields: a new request begins in this context."""
    _about.set({})


def note(**about: object) -> None:
    """Add fields to the lines of this context, such as `turn=<id>`. A callable is evaluated at each line."""
    known = _about.get()
    if known is None:
        _about.set(known := {})
    known.update(about)


class About(logging.Filter):
    """A filter that adds an attribute `about` to each record: " request=… user=…", or nothing."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Add the attribute; every record passes."""
        known = {name: value() if callable(value) else value for name, value in (_about.get() or {}).items()}
        record.about = "".join(f" {name}={value}" for name, value in known.items() if value is not None)
        return True
