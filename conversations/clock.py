"""The time by the database's clock. Hosts' clocks differ: only this time is compared with columns."""

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
    """Return the SQL of a time in so many seconds, or before if negative."""
    return RawSQL("now() + make_interval(secs => %s)", (seconds,), output_field=models.DateTimeField())
