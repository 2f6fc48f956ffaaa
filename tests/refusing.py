"""Tables that refuse rows, as with a full disk or a deadlock."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def refusing(table: str, condition: str, when: str = "INSERT OR UPDATE", state: str = "22000") -> Iterator[None]:
    """Have Postgres raise an error with this SQLSTATE for rows of a table that match a condition on NEW."""
    name = f"refuse_{uuid.uuid4().hex}"
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF {condition} THEN RAISE EXCEPTION 'refused by the test' USING ERRCODE = '{state}'; END IF; "
            "RETURN NEW; END $$"
        )
        cursor.execute(f"CREATE TRIGGER {name} BEFORE {when} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP FUNCTION {name} CASCADE")


@contextmanager
def counter() -> Iterator[str]:
    """Create a sequence, whose values survive the rollback of transactions; yield its name."""
    name = f"count_{uuid.uuid4().hex}"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE SEQUENCE {name}")
    try:
        yield name
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP SEQUENCE {name}")
