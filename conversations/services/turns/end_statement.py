"""The statement that ends a plain turn.

It does in one round trip what the ORM does in ten to twenty. It is conditional: if the data that it depends on have
changed meanwhile, it writes nothing and reports that, and the caller ends the turn step by step.
"""

from __future__ import annotations

from functools import cache

from conversations.content.transcript import Batch, encode
from conversations.database import Parameters
from conversations.models import Message, Titling, Turn, Usage
from conversations.services.billing.budget_statements import SETTLED
from conversations.services.billing.price_list import UNCHANGED
from conversations.services.turns.row_inserts import insert_row, row_values, values_of_none
from conversations.streaming.wakes import CHANNEL, notification_payload


def end_values(
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
    """Return the parameters of `end_statement` for an ended turn: its answer, and its request's row.

    `seen` is the committed position of the transcript, `whole` the complete transcript; `titling` is the work on the
    conversation's title, `prices` the fingerprint of the platform's own prices with which the row was computed; `delta`
    says whether the transcript has a delta.
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
    """Return those parameters of `end_statement` that come from the turn itself."""
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


UNTITLED = """
ended JOIN conversations_conversation AS named ON named.id = ended.conversation_id AND named.title = ''
"""


@cache
def end_statement() -> str:
    """Return the statement that ends a plain turn.

    It writes nothing and returns no row if the turn is not ours, if another turn may be waiting for its end, or if the
    platform's prices have changed.
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
        ), message AS ({insert_row("message", Message, "ended")} WHERE %(answered)s
        ), booked AS ({insert_row("usage", Usage, "ended")} WHERE %(booked)s
        ), leaf AS (
            UPDATE conversations_conversation AS conversation
            SET active_leaf_id = %(leaf)s, updated_at = now()
            FROM ended WHERE %(answered)s
                AND conversation.id = ended.conversation_id AND conversation.active_leaf_id = %(after)s
        ), titling AS ({insert_row("titling", Titling, UNTITLED)}
            WHERE %(untitled)s ON CONFLICT (conversation_id) DO NOTHING RETURNING id
        )
        SELECT pg_notify('{CHANNEL}', %(notice)s), (SELECT pg_notify('{CHANNEL}', %(title_notice)s) FROM titling)
        FROM ended
    """  # noqa: S608
