"""The two statements that begin turns: one reads the data that they depend on, one stores them.

Each does in one round trip what the ORM does in ten to twenty, for any number of turns. The second is conditional: for
a turn whose data have changed meanwhile it writes nothing, and reports that.
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
from conversations.services.turns.row_inserts import NOW, insert_row, names_of_values, row_values
from conversations.streaming.wakes import CHANNEL


class Ground(NamedTuple):
    """The data that a new turn depends on."""

    conversation: Conversation | None
    """The requested conversation, if the user may ask in it."""
    known: uuid.UUID | None
    """The turn that the idempotency key has created already."""
    let_in: bool
    """Whether the credential is valid."""
    budgeted: bool = False
    """Whether budgets apply to the user's requests."""


class GroundQuery(NamedTuple):
    """The query for the data that a new turn depends on."""

    user: uuid.UUID
    conversation: uuid.UUID
    key: str | None
    credential: Credential | None
    """The user's credential, if it has to be checked."""


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
    """Return the data that a new turn depends on. Within the transaction that stores the turn.

    If turns are limited, a user's requests wait for each other here, so that of two for the last place one is refused.
    """
    rows = prepared(ground_statement(), dict(zip(COLUMNS, _values(query), strict=True)))
    return _ground(rows[0]) if rows else Ground(None, None, let_in=query.credential is None)


def grounds_values(queries: Sequence[GroundQuery]) -> Parameters:
    """Return the parameters of `ground_statement` for many turns."""
    return dict(zip(COLUMNS, map(list, zip(*map(_values, queries), strict=True)), strict=True))


def grounds_of(rows: Sequence[TupleRow], number: int) -> list[Ground | None]:
    """Return the results of `ground_statement` for so many queries; None for those without a row."""
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
    """Return the statement that reads the data for a new turn, or for `many`.

    It returns a row for each turn, with its index, but none for an unknown user. The one for many turns never waits: it
    also returns no row if another transaction has locked the user.
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
    """Return the columns of a model, in its fields' order, without generated ones."""
    return [each.attname for each in model._meta.concrete_fields if not each.generated]


class BeginResult(NamedTuple):
    """The result for one turn of the statement that begins turns."""

    begun: bool
    used: Used
    """The user's usage of their limits before this turn."""


def begin(turn: Turn, *, new_message: bool, at_leaf: uuid.UUID | None, anywhere: bool) -> BeginResult:
    """Store a new turn, its question if that is new, and its first event if it already runs.

    Set the conversation's active leaf to the question, and notify its followers. Write nothing if the user's limits are
    used up, if the conversation was deleted, or if its active leaf is not `at_leaf` any more, unless the turn continues
    from `anywhere`. Raise IntegrityError if the conversation has an active turn or the idempotency key a turn. Within
    the caller's transaction.
    """
    values = begin_values(turn, new_message=new_message, at_leaf=at_leaf, anywhere=anywhere)
    [row] = prepared(begin_statement(), begin_parameters([values]))
    return begin_result(turn, row)


def begin_values(turn: Turn, *, new_message: bool, at_leaf: uuid.UUID | None, anywhere: bool) -> Parameters:
    """Return a turn's values for `begin_parameters`, from the arguments of `begin`."""
    start = Batch.of(str(turn.pk), 0, [transcripts.turn_start(turn)])
    return {
        "conversation": turn.conversation_id,
        "leaf": turn.answers_after,
        "seen_leaf": at_leaf,
        "anywhere": anywhere,
        "user": turn.user_id,
        "key": turn.idempotency_key,
        "new_message": new_message,
        "runs": turn.holder is not None,
        "id": turn.pk,
        "position": start.end,
        "events": encode(start.events),
        **row_values("message", turn.question),
        **row_values("turn", turn),
    }


def begin_parameters(turns: Sequence[Parameters]) -> Parameters:
    """Return the parameters of `begin_statement` for turns of which `begin_values` has returned these."""
    return {**{name: [each[name] for each in turns] for name in _kinds()}, **parameters_of_limits()}


def begin_result(turn: Turn, row: TupleRow) -> BeginResult:
    """Parse a row of `begin_statement`; mark the turn's instances as stored, if they are."""
    now, begun, *used, _ = row
    if begun:
        for stored in (turn, turn.question):
            stored._state.adding = False  # it is stored, although not by the ORM
        turn.created_at, turn.started_at = now, now if turn.holder else None
    return BeginResult(begun, Used(*used))


def begin_statement(*, plain: bool = False) -> str:
    """Return the statement that stores new turns. It returns a row for each, in their order.

    If the turns are `plain`, it also skips those for which others in the same transaction would have to wait or fail:
    if another transaction has locked the conversation, another turn is active in it, or the idempotency key has a turn.
    """
    return _begin(bool(configured_limits()), plain)


@cache
def _kinds() -> dict[str, str]:
    """Return the names of what `begin_values` returns, with the types that it has in `begin_statement`."""
    ids = dict.fromkeys(("conversation", "leaf", "seen_leaf", "user", "id"), "uuid")
    flags = dict.fromkeys(("anywhere", "new_message", "runs"), "bool")
    texts = dict.fromkeys(
        ("key", "events", *names_of_values("message", Message), *names_of_values("turn", Turn)), "text"
    )
    return {**ids, **flags, **texts, "position": "bigint"}


ACTIVE = ", ".join(f"'{status}'" for status in sorted(Turn.ACTIVE))
WOULD_FAIL = f"""
EXISTS (SELECT FROM conversations_turn WHERE conversation_id = asked.conversation AND status IN ({ACTIVE}))
OR EXISTS (SELECT FROM conversations_turn WHERE user_id = asked."user" AND idempotency_key = asked.key)
OR EXISTS (SELECT FROM asked AS earlier
    WHERE earlier."user" = asked."user" AND earlier.key = asked.key AND earlier.place < asked.place)
"""  # noqa: S608 - ours

UNLOCKED = """
ANY (ARRAY(SELECT id FROM conversations_conversation WHERE id = ANY(%(conversation)s) FOR NO KEY UPDATE SKIP LOCKED))
"""

IDS = "replace(concat_ws(' ', conversation, id), '-', '')"

NOTHING_IS_LIMITED = """
SELECT place, 0 AS turns, NULL::numeric AS turns_reset, 0 AS concurrent, 0 AS tokens, NULL::numeric AS tokens_reset
FROM asked
"""
# As if earlier ones of the same user had all begun.
USED_BEFORE = f"""
SELECT asked.place, turns + before AS turns, turns_reset, concurrent + before AS concurrent, tokens, tokens_reset
FROM (SELECT place, "user", row_number() OVER (PARTITION BY "user" ORDER BY place) - 1 AS before FROM asked) AS asked
JOIN (
    SELECT * FROM (SELECT DISTINCT "user" FROM asked) AS person, LATERAL ({USED.format(user='person."user"')}) AS used
) AS used ON used."user" = asked."user"
"""  # noqa: S608 - ours


@cache
def _begin(limited: bool, plain: bool) -> str:
    kinds = _kinds()
    arrays = ", ".join(f"%({name})s::{kind}[]" for name, kind in kinds.items())
    names = ", ".join(f'"{name}"' for name in kinds)
    started = "CASE WHEN begun.runs THEN now() END"
    return f"""
        WITH asked AS (SELECT * FROM unnest({arrays}) WITH ORDINALITY AS asked({names}, place)
        ), used AS MATERIALIZED ({USED_BEFORE if limited else NOTHING_IS_LIMITED}
        ), begun AS (
            UPDATE conversations_conversation AS conversation SET active_leaf_id = asked.leaf, updated_at = now()
            FROM asked JOIN used ON used.place = asked.place
            WHERE conversation.id = asked.conversation
                {f"AND conversation.id = {UNLOCKED}" if plain else ""}
                AND (asked.anywhere OR active_leaf_id IS NOT DISTINCT FROM asked.seen_leaf)
                {f"AND NOT ({WOULD_FAIL})" if plain else ""}
                {f"AND {ROOM}" if limited else ""}
            RETURNING asked.*
        ), message AS ({insert_row("message", Message, "begun", NOW, given="begun.{}")} WHERE begun.new_message
        ), turn AS ({insert_row("turn", Turn, "begun", {**NOW, "started_at": started}, given="begun.{}")}
        ), piece AS (
            INSERT INTO conversations_journal (turn_id, start, "end", events)
            SELECT id, 0, position, events::json FROM begun WHERE runs
        )
        SELECT now(), begun.place IS NOT NULL, turns, turns_reset, concurrent, tokens, tokens_reset, (
            SELECT pg_notify('{CHANNEL}', concat('turn ', string_agg({IDS}, ' ')))
            FROM begun HAVING count(*) > 0
        )
        FROM used LEFT JOIN begun ON begun.place = used.place ORDER BY used.place
    """  # noqa: S608 - the models' own names
