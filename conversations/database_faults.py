"""Classifying the database's errors by their SQLSTATE.

Lost: the connection is gone; the same work can be repeated on another one, without a limit.

Contended: a deadlock or a serialisation failure; the same transaction may succeed a moment later, so it is retried a
few times.

All others: a retry would not help, and the error is reported.
"""

from __future__ import annotations

import psycopg
from django.db import DatabaseError, InterfaceError, OperationalError

from conversations.errors import ColloquyError, Conflict, InvalidRequest, Unavailable

DATABASE_ERRORS = (DatabaseError, InterfaceError)
"""The ORM's exceptions for errors of the database."""

CONTENDED_TRIES = 5
CONTENDED_PAUSE = 0.05  # seconds before the second try; each further one waits longer
SOON, LATER = 5.0, 60.0  # seconds for `Retry-After`

LOST_STATES = frozenset({"57P01", "57P02", "57P03", "57P05", "25P03", "25P04", "53300"})
"""SQLSTATEs of: shut down, crashed, starting up, idle for too long, too many connections."""
CONTENDED_STATES = frozenset({"40001", "40P01"})

MESSAGES = {
    "40": "Too many requests changed the same rows at once: try again.",
    "53": "The database has no space left: its disk or its memory is full.",
    "54": "The request is too large or too complex for the database.",
    "55": "Another operation has locked the data that this request needs: try again in a moment.",
    "57": "The database took too long, and the query was cancelled: try again, or request less.",
    "58": "The database could not read or write its files.",
    "XX": "The database found its own data damaged.",
}
"""The messages for clients, by the class of the SQLSTATE."""


def state_of(error: BaseException) -> str:
    """Return the SQLSTATE of an error of psycopg or the ORM; empty if the server did not send one."""
    cause = error if isinstance(error, psycopg.Error) else error.__cause__
    return (cause.sqlstate or "") if isinstance(cause, psycopg.Error) else ""


def is_lost(error: BaseException) -> bool:
    """Return whether the connection to the database was lost, or could not be made."""
    state = state_of(error)
    if state:
        return state.startswith("08") or state in LOST_STATES
    return isinstance(error, (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError))


def is_contended(error: BaseException) -> bool:
    """Return whether the transaction conflicted with another one, and may succeed on a retry."""
    return state_of(error) in CONTENDED_STATES


def is_passing(error: BaseException) -> bool:
    """Return whether the same transaction may succeed on a retry."""
    return is_lost(error) or is_contended(error)


def translate(error: BaseException) -> ColloquyError | None:
    """Return the error for a client that corresponds to an error of the database; None for other exceptions.

    503 if a retry may help, 409 if referenced rows have changed meanwhile, 400 for a value that no column accepts.
    """
    if not isinstance(error, (*DATABASE_ERRORS, psycopg.Error)):
        return None
    kind = state_of(error)[:2]
    if is_lost(error):
        return Unavailable("The platform's database can't be reached: try again in a moment.", retry_after=SOON)
    if kind == "22":
        return InvalidRequest(
            "A value in the request can't be stored: it is too large, or has characters that the database does not "
            "support."
        )
    if kind == "23":
        return Conflict(
            "The object that this request refers to was changed or deleted meanwhile: read it again before you "
            "repeat the request."
        )
    message = MESSAGES.get(kind, "The database could not execute this request.")
    return Unavailable(message, retry_after=SOON if kind in ("40", "55", "57") else LATER)
