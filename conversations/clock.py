"""The time by the database's clock. Hosts' clocks differ: what is compared with a column is never taken from one."""

from __future__ import annotations

from datetime import datetime

from django.db import connection, models
from django.db.models.expressions import RawSQL


def now() -> datetime:
    """Return the time at which the present transaction began."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        [at] = cursor.fetchone()
    found: datetime = at
    return found


def from_now(seconds: float) -> RawSQL:
    """Return the time in so many seconds, or before so many where there is a minus, as part of a statement."""
    return RawSQL("now() + make_interval(secs => %s)", (seconds,), output_field=models.DateTimeField())
