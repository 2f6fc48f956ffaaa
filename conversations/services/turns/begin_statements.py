"""The two statements that begin a turn: one reads what it rests on, one stores it.

Each does in one round trip what the ORM does in ten to twenty. The second is conditional: where what the turn rests on
has changed meanwhile it writes nothing and says so.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from django.db.models import Model
from psycopg.rows import TupleRow

from conversations.content.transcript import Batch, encode
from conversations.database import Parameters, prepared
from conversations.models import Conversation, Message, Right, Turn
from conversations.models.access import open_condition
from conversations.services.accounts.credentials import LETS_IN, Credential
from conversations.services.billing.budget_statements import APPLIES
from conversations.services.billing.user_limits import ROOM, USED, Used, configured_limits, parameters_of_limits
from conversations.services.turns import transcripts
from conversations.services.turns.row_inserts import NOW, insert_row, row_values
from conversations.streaming.wakes import CHANNEL, notification_payload


class Ground(NamedTuple):
    """What a new turn rests on."""

    conversation: Conversation | None
    """The one that was asked for, if the user may ask in it."""
    known: uuid.UUID | None
    """The turn that the idempotency key has made already."""
    let_in: bool
    """Whether the credential is valid."""
    budgeted: bool = False
    """Whether budgets apply to the user's requests."""


class GroundQuery(NamedTuple):
    """What is to be read of what a new turn rests on."""

    user: uuid.UUID
    conversation: uuid.UUID
    key: str | None
    credential: Credential | None
    """What the user was let in with, where that is to be checked."""


COLUMNS = {
    "user": "uuid",
    "conversation": "uuid",
    "key": "text",
    "checked": "bool",
    "token": "text",
    "session": "text",
    "password": "text",
}
"""The columns of a query in `ground_statement`, with their types."""


def read_ground(query: GroundQuery) -> Ground:
    """Return what a new turn rests on. Within the transaction that stores it.

    Where turns are limited, a user's requests wait here for each other: of two for the last place one is refused.
    """
    rows = prepared(ground_statement(), dict(zip(COLUMNS, _values(query), strict=True)))
    return _ground(rows[0]) if rows else Ground(None, None, let_in=query.credential is None)


def grounds_values(queries: Sequence[GroundQuery]) -> Parameters:
    """Return the parameters of `ground_statement` for many turns."""
    return dict(zip(COLUMNS, map(list, zip(*map(_values, queries), strict=True)), strict=True))


def grounds_of(rows: Sequence[TupleRow], number: int) -> list[Ground | None]:
    """Return what the rows of `ground_statement` say of each of so many queries; None of one that has no row."""
    found = {row[0]: _ground(row) for row in rows}
    return [found.get(place) for place in range(1, number + 1)]


def _values(query: GroundQuery) -> tuple[object, ...]:
    """Return the values of `COLUMNS`."""
    user, conversation, key, credential = query
    shown = credential or Credential(user)
    return user, conversation, key, credential is not None, shown.token, shown.session, shown.password


def _ground(row: TupleRow) -> Ground:
    _, known, let_in, budgeted, *columns = row
    names = _shown_columns(Conversation)
    found = None if columns[names.index("id")] is None else Conversation.from_db(None, names, columns)
    return Ground(found, known, let_in, budgeted)


def ground_statement(*, many: bool = False) -> str:
    """Return the statement that reads what a new turn rests on, or what `many` rest on.

    It returns a row for each, with its place, but none where there is no such user. That for many waits for nobody: it
    returns none either where another transaction has locked the user.
    """
    return _read_ground(bool(configured_limits()), many)


APPLIES_TO_USER = APPLIES.format(user='asked."user"')
OPEN = open_condition(
    conversation="conversation.id", owner="conversation.owner_id", user="person.id", right=Right.WRITE
)
_TYPED = ", ".join(f'%({name})s::{kind} AS "{name}"' for name, kind in COLUMNS.items())
_ARRAYS = ", ".join(f"%({name})s::{kind}[]" for name, kind in COLUMNS.items())
_NAMES = ", ".join(f'"{name}"' for name in COLUMNS)
ASKED_ONE = f"SELECT {_TYPED}, 1 AS place"
ASKED_MANY = f"SELECT * FROM unnest({_ARRAYS}) WITH ORDINALITY AS asked({_NAMES}, place)"  # noqa: S608 - ours


@cache
def _read_ground(limited: bool, many: bool) -> str:
    lock = f"FOR NO KEY UPDATE {'SKIP LOCKED' if many else ''}" if limited else ""
    columns = ", ".join(f'conversation."{name}"' for name in _shown_columns(Conversation))
    return f"""
        WITH asked AS ({ASKED_MANY if many else ASKED_ONE}), person AS MATERIALIZED (
            SELECT id FROM conversations_user WHERE id = {"ANY(%(user)s)" if many else "%(user)s"} {lock}
        )
        SELECT asked.place,
            (SELECT id FROM conversations_turn WHERE user_id = asked."user" AND idempotency_key = asked.key),
            NOT asked.checked OR {LETS_IN}, EXISTS (SELECT FROM conversations_budget WHERE {APPLIES_TO_USER}), {columns}
        FROM asked JOIN person ON person.id = asked."user" LEFT JOIN conversations_conversation AS conversation
            ON conversation.id = asked.conversation AND {OPEN}
    """  # noqa: S608 - the models' own names


@cache
def _shown_columns(model: type[Model]) -> list[str]:
    """Return the columns of a model, in its fields' order, but for those that Postgres makes of others."""
    return [each.attname for each in model._meta.concrete_fields if not each.generated]


class BeginResult(NamedTuple):
    """What came of the statement that begins a turn."""

    begun: bool
    used: Used
    """What the user had used of the limits before it."""


def begin(turn: Turn, *, new_message: bool, at_leaf: uuid.UUID | None, anywhere: bool) -> BeginResult:
    """Store a new turn, its question where that is new, and where it runs already its first event.

    Sets the conversation's active leaf to what is asked, and tells those who watch it. Writes nothing where the user's
    limits leave no room, where the conversation is gone or its active leaf is not `at_leaf` any more, unless the turn
    goes on from `anywhere`. Raises IntegrityError where the conversation has an active turn or the idempotency key a
    turn. Within the caller's transaction.
    """
    values = begin_values(turn, new_message=new_message, at_leaf=at_leaf, anywhere=anywhere)
    return begin_result(turn, prepared(begin_statement(), values))


def begin_values(turn: Turn, *, new_message: bool, at_leaf: uuid.UUID | None, anywhere: bool) -> Parameters:
    """Return the parameters of `begin_statement`, which are the arguments of `begin`."""
    start = Batch.of(str(turn.pk), 0, [transcripts.turn_start(turn)])
    return {
        "conversation": turn.conversation_id,
        "leaf": turn.answers_after,
        "seen_leaf": at_leaf,
        "anywhere": anywhere,
        "key": turn.idempotency_key,
        "new_message": new_message,
        "runs": turn.holder is not None,
        "id": turn.pk,
        "position": start.end,
        "events": encode(start.events),
        "notice": notification_payload("turn", turn.conversation_id, turn.pk),
        **row_values("message", turn.question),
        **row_values("turn", turn),
        **parameters_of_limits(turn.user),
    }


def begin_result(turn: Turn, rows: Sequence[TupleRow]) -> BeginResult:
    """Return what the row of `begin_statement` says; note in the turn's rows that they are stored, where they are."""
    [[now, begun, _, *used]] = rows
    if begun:
        for row in (turn, turn.question):
            row._state.adding = False  # it is stored, although not by the ORM
        turn.created_at, turn.started_at = now, now if turn.holder else None
    return BeginResult(begun, Used(*used))


def begin_statement(*, plain: bool = False) -> str:
    """Return the statement that stores a new turn.

    Where the turn is to be `plain`, it writes nothing either where others that write in the same transaction would have
    to wait, or fail with it: where another transaction has locked the conversation, another turn is active in it, or
    the idempotency key has a turn.
    """
    return _begin(bool(configured_limits()), plain)


ACTIVE = ", ".join(f"'{status}'" for status in sorted(Turn.ACTIVE))
WOULD_FAIL = f"""
EXISTS (SELECT FROM conversations_turn WHERE conversation_id = %(conversation)s AND status IN ({ACTIVE}))
OR EXISTS (SELECT FROM conversations_turn WHERE user_id = %(user)s AND idempotency_key = %(key)s)
"""  # noqa: S608 - ours

UNLOCKED = """
(SELECT id FROM conversations_conversation WHERE id = %(conversation)s FOR NO KEY UPDATE SKIP LOCKED)
"""

NOTHING_IS_LIMITED = """
SELECT 0 AS turns, NULL::numeric AS turns_reset, 0 AS concurrent, 0 AS tokens, NULL::numeric AS tokens_reset
"""


@cache
def _begin(limited: bool, plain: bool) -> str:
    started = "CASE WHEN %(runs)s THEN now() END"
    return f"""
        WITH used AS MATERIALIZED ({USED if limited else NOTHING_IS_LIMITED}
        ), conversation AS (
            UPDATE conversations_conversation SET active_leaf_id = %(leaf)s, updated_at = now()
            WHERE id = {UNLOCKED if plain else "%(conversation)s"}
                AND (%(anywhere)s OR active_leaf_id IS NOT DISTINCT FROM %(seen_leaf)s)
                {f"AND NOT ({WOULD_FAIL})" if plain else ""}
                {f"AND (SELECT {ROOM} FROM used)" if limited else ""}
            RETURNING id
        ), message AS ({insert_row("message", Message, NOW)} conversation WHERE %(new_message)s
        ), turn AS ({insert_row("turn", Turn, {**NOW, "started_at": started})} conversation
        ), piece AS (
            INSERT INTO conversations_journal (turn_id, start, "end", events)
            SELECT %(id)s, 0, %(position)s, %(events)s::json FROM conversation WHERE %(runs)s
        )
        SELECT now(), conversation.id IS NOT NULL,
            CASE WHEN conversation.id IS NOT NULL THEN pg_notify('{CHANNEL}', %(notice)s) END, used.*
        FROM used LEFT JOIN conversation ON true
    """  # noqa: S608 - the models' own names
