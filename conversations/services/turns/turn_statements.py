"""The three statements that a plain turn needs besides its deltas: one reads what it rests on, one begins, one ends it.

Each does in one round trip what the ORM does in ten to twenty. Those that write are conditional: where what they rest
on has changed meanwhile they write nothing and say so, and the caller goes the long way, step by step.
"""

from __future__ import annotations

import uuid
from functools import cache
from typing import NamedTuple

from django.db.models import Model

from conversations.content.transcript import Batch, encode
from conversations.database import Parameters, prepared
from conversations.models import Conversation, Message, Right, Titling, Turn, Usage, User
from conversations.models.access import open_condition
from conversations.services.accounts.credentials import LETS_IN, Credential
from conversations.services.billing.budget_statements import SETTLED
from conversations.services.billing.price_list import UNCHANGED
from conversations.services.billing.user_limits import ROOM, USED, Used, configured_limits, parameters_of_limits
from conversations.services.turns.row_inserts import NOW, insert_row, row_values, values_of_none
from conversations.streaming.wakes import CHANNEL, notification_payload


class Ground(NamedTuple):
    """What a new turn rests on."""

    conversation: Conversation | None
    """The one that was asked for, if the user may ask in it."""
    known: uuid.UUID | None
    """The turn that the idempotency key has made already."""
    let_in: bool
    """Whether the credential is valid."""


def read_ground(user: User, conversation_id: uuid.UUID, key: str | None, credential: Credential | None) -> Ground:
    """Return what a new turn rests on. Within the transaction that stores it.

    Where turns are limited, a user's requests wait here for each other: of two for the last place one is refused.
    """
    values = {"user": user.pk, "conversation": conversation_id, "key": key, "checked": credential is not None}
    values |= {f"credential_{name}": value for name, value in vars(credential or Credential(user.pk)).items()}
    rows = prepared(_read_ground(bool(configured_limits())), values)
    if not rows:
        return Ground(None, None, let_in=credential is None)
    [[known, let_in, *columns]] = rows
    names = _shown_columns(Conversation)
    found = None if columns[names.index("id")] is None else Conversation.from_db(None, names, columns)
    return Ground(found, known, let_in=let_in)


OPEN = open_condition(
    conversation="conversation.id", owner="conversation.owner_id", user="person.id", right=Right.WRITE
)


@cache
def _read_ground(limited: bool) -> str:
    columns = ", ".join(f'conversation."{name}"' for name in _shown_columns(Conversation))
    return f"""
        WITH person AS MATERIALIZED (
            SELECT id FROM conversations_user WHERE id = %(user)s {"FOR NO KEY UPDATE" if limited else ""}
        ), asked AS (
            SELECT %(credential_user)s::uuid AS "user", %(credential_token)s::text AS token,
                %(credential_session)s::text AS session, %(credential_password)s::text AS password
        )
        SELECT (SELECT id FROM conversations_turn WHERE user_id = %(user)s AND idempotency_key = %(key)s),
            NOT %(checked)s OR {LETS_IN}, {columns}
        FROM asked CROSS JOIN person LEFT JOIN conversations_conversation AS conversation
            ON conversation.id = %(conversation)s AND {OPEN}
    """  # noqa: S608 - the models' own names


@cache
def _shown_columns(model: type[Model]) -> list[str]:
    """Return the columns of a model, in its fields' order, but for those that Postgres makes of others."""
    return [each.attname for each in model._meta.concrete_fields if not each.generated]


class BeginResult(NamedTuple):
    """What came of the statement that begins a turn."""

    begun: bool
    budgeted: bool
    """Whether there are any budgets."""
    used: Used
    """What the user had used of the limits before it."""


def begin(turn: Turn, *, new_message: bool, at_leaf: uuid.UUID | None, anywhere: bool, start: Batch) -> BeginResult:
    """Store a new turn, its question where that is new, and where it runs already its first event.

    Sets the conversation's active leaf to what is asked, and tells those who watch it. Writes nothing where the user's
    limits leave no room, where the conversation is gone or its active leaf is not `at_leaf` any more, unless the turn
    goes on from `anywhere`. Raises IntegrityError where the conversation has an active turn or the idempotency key a
    turn. Within the caller's transaction.
    """
    values: Parameters = {
        "conversation": turn.conversation_id,
        "leaf": turn.answers_after,
        "seen_leaf": at_leaf,
        "anywhere": anywhere,
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
    [[now, begun, budgeted, _, *used]] = prepared(_begin(bool(configured_limits())), values)
    if begun:
        for row in (turn, turn.question):
            row._state.adding = False  # it is stored, although not by the ORM
        turn.created_at, turn.started_at = now, now if turn.holder else None
    return BeginResult(begun, budgeted, Used(*used))


NOTHING_IS_LIMITED = """
SELECT 0 AS turns, NULL::numeric AS turns_reset, 0 AS concurrent, 0 AS tokens, NULL::numeric AS tokens_reset
"""


@cache
def _begin(limited: bool) -> str:
    started = "CASE WHEN %(runs)s THEN now() END"
    return f"""
        WITH used AS MATERIALIZED ({USED if limited else NOTHING_IS_LIMITED}
        ), conversation AS (
            UPDATE conversations_conversation SET active_leaf_id = %(leaf)s, updated_at = now()
            WHERE id = %(conversation)s AND (%(anywhere)s OR active_leaf_id IS NOT DISTINCT FROM %(seen_leaf)s)
                {f"AND (SELECT {ROOM} FROM used)" if limited else ""}
            RETURNING id
        ), message AS ({insert_row("message", Message, NOW)} conversation WHERE %(new_message)s
        ), turn AS ({insert_row("turn", Turn, {**NOW, "started_at": started})} conversation
        ), piece AS (
            INSERT INTO conversations_journal (turn_id, start, "end", events)
            SELECT %(id)s, 0, %(position)s, %(events)s::json FROM conversation WHERE %(runs)s
        )
        SELECT now(), conversation.id IS NOT NULL, EXISTS (SELECT FROM conversations_budget),
            CASE WHEN conversation.id IS NOT NULL THEN pg_notify('{CHANNEL}', %(notice)s) END, used.*
        FROM used LEFT JOIN conversation ON true
    """  # noqa: S608 - the models' own names


def end(
    turn: Turn,
    *,
    seen: int,
    whole: Batch,
    message: Message | None,
    row: Usage | None,
    titling: Titling | None,
    prices: str,
    delta: bool,
) -> Parameters:
    """Return the parameters of END for a turn that has ended: its one answer, and the row of its one request.

    `seen` is the position up to which the transcript is committed, and `whole` the whole of it; `titling` is the work
    of naming its conversation, `prices` the fingerprint of the platform's own prices by which the row was made; `delta`
    says whether there is a delta in the transcript.
    """
    return {
        **_end_of_row(turn),
        "seen": seen,
        "position": whole.end,
        "events": encode(whole.events),
        "answered": message is not None,
        "leaf": message.pk if message else None,
        "booked": row is not None,
        "prices": prices,
        "counted": row.counted if row else 0,
        "booked_at": row.created_at if row else None,
        "delta": delta,
        "untitled": titling is not None,
        "title_notice": notification_payload("queued-title", titling.pk) if titling else None,
        **(row_values("titling", titling) if titling else values_of_none("titling", Titling)),
        **(row_values("message", message) if message else values_of_none("message", Message)),
        **(row_values("usage", row) if row else values_of_none("usage", Usage)),
    }


def _end_of_row(turn: Turn) -> Parameters:
    """Return the parameters of END that are the turn's own."""
    return {
        "id": turn.pk,
        "user": turn.user_id,
        "fence": turn.fence,
        "status": turn.status,
        "error": None if turn.error is None else encode(turn.error),
        "stop_reason": turn.stop_reason,
        "stop_sequence": turn.stop_sequence,
        "stop_details": None if turn.stop_details is None else encode(turn.stop_details),
        "requests_sent": turn.requests_sent,
        "under_budget": turn.under_budget,
        "after": turn.answers_after,
        "notice": notification_payload("journal", turn.pk),
    }


@cache
def end_statement() -> str:
    """Return END.

    It writes nothing and returns no row where the turn is not ours, where another one may be to begin at its end, and
    where the platform's prices have changed.
    """
    return f"""
        WITH ended AS (
            UPDATE conversations_turn AS turn
            SET status = %(status)s, error = %(error)s::json, stop_reason = %(stop_reason)s,
                stop_sequence = %(stop_sequence)s, stop_details = %(stop_details)s::json,
                requests_sent = %(requests_sent)s, position = %(position)s, finished_at = clock_timestamp(),
                first_delta_at = COALESCE(first_delta_at, CASE WHEN %(delta)s THEN clock_timestamp() END)
            WHERE id = %(id)s AND fence = %(fence)s AND status = 'running' AND position = %(seen)s AND NOT has_queue
                AND {UNCHANGED}
            RETURNING id, conversation_id, user_id
        ), {SETTLED}, cleared AS (
            DELETE FROM conversations_journal AS piece USING ended WHERE piece.turn_id = ended.id RETURNING piece.start
        ), piece AS (
            -- They are counted so that they are gone before the one that takes their place comes.
            INSERT INTO conversations_journal (turn_id, start, "end", events)
            SELECT ended.id, 0, %(position)s, %(events)s::json FROM ended, (SELECT count(*) FROM cleared) AS counted
        ), message AS ({insert_row("message", Message, NOW)} ended WHERE %(answered)s
        ), booked AS ({insert_row("usage", Usage)} ended WHERE %(booked)s
        ), leaf AS (
            UPDATE conversations_conversation AS conversation
            SET active_leaf_id = %(leaf)s, updated_at = now()
            FROM ended WHERE %(answered)s
                AND conversation.id = ended.conversation_id AND conversation.active_leaf_id = %(after)s
        ), titling AS ({insert_row("titling", Titling, NOW)} ended
            JOIN conversations_conversation AS named ON named.id = ended.conversation_id AND named.title = ''
            WHERE %(untitled)s ON CONFLICT (conversation_id) DO NOTHING RETURNING id
        )
        SELECT pg_notify('{CHANNEL}', %(notice)s), (SELECT pg_notify('{CHANNEL}', %(title_notice)s) FROM titling)
        FROM ended
    """  # noqa: S608
