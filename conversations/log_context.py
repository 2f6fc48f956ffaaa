"""Say in each line of the log which request, turn and user it is about, where there are any."""

from __future__ import annotations

import logging
from contextvars import ContextVar

# The dict is shared by the tasks and threads that copy the context: what one of them notes, the others' lines have too.
_about: ContextVar[dict[str, object] | None] = ContextVar("about", default=None)


def begin() -> None:
    """Forget what was known: a new request begins in this context."""
    _about.set({})


def note(**about: object) -> None:
    """Add to what the lines of this context are about, such as `turn=<id>`. A callable is asked at each line."""
    known = _about.get()
    if known is None:
        _about.set(known := {})
    known.update(about)


class About(logging.Filter):
    """Gives each record an attribute `about`: " request=… user=…", or nothing."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Add the attribute; every record passes."""
        known = {name: value() if callable(value) else value for name, value in (_about.get() or {}).items()}
        record.about = "".join(f" {name}={value}" for name, value in known.items() if value is not None)
        return True
