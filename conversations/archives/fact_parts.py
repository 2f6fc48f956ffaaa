"""Facts in archives, which are not imported: turns, ledger rows, shares, feedback on others' answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from django.db.models import Model, QuerySet

from conversations.api.renderers import ExactJSONRenderer
from conversations.archives.parts import FACTS, Part
from conversations.models import Feedback, Share, Turn, Usage, User
from conversations.tables import decimal_text

ModelT = TypeVar("ModelT", bound=Model)

AT_ONCE = 500
TURN = (
    *("id", "conversation", "user_message", "continues", "status", "model", "settings", "stop_reason", "error"),
    *("idempotency_key", "created_at", "started_at", "first_delta_at", "finished_at"),
)
USAGE = (
    *("id", "purpose", "conversation", "turn", "model", "requests", "corrects", "reason", "request_id"),
    *("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens"),
    *("thinking_tokens", "web_search_requests", "web_fetch_requests", "source", "cost", "prices", "created_at"),
)
FEEDBACK = ("message", "rating", "comment", "created_at", "updated_at")

_renderer = ExactJSONRenderer()


def fact_lines(rows: QuerySet[ModelT], told: Callable[[ModelT], dict[str, object]]) -> Iterator[bytes]:
    """Yield a line for each row, in the order of their keys, read in pages."""
    ordered, last = rows.order_by("pk"), None
    while some := list((ordered.filter(pk__gt=last) if last else ordered)[:AT_ONCE]):
        for row in some:
            yield _renderer.render(told(row)) + b"\n"
        last = some[-1].pk


def columns(row: Model, names: tuple[str, ...]) -> dict[str, object]:
    """Return the fields of a row by name, with ids in place of related rows."""
    fields = {field.name: field.attname for field in row._meta.concrete_fields}
    return {name: getattr(row, fields[name]) for name in names}


def _turns(user: User) -> Iterator[bytes]:
    turns = Turn.objects.filter(user=user).prefetch_related("messages")

    def told(turn: Turn) -> dict[str, object]:
        return {**columns(turn, TURN), "messages": [message.pk for message in turn.messages.all()]}

    return fact_lines(turns, told)


def _usage(user: User) -> Iterator[bytes]:
    def told(row: Usage) -> dict[str, object]:
        return {**columns(row, USAGE), "cost": None if row.cost is None else decimal_text(row.cost)}

    return fact_lines(Usage.objects.filter(user=user), told)


def _shares(user: User) -> Iterator[bytes]:
    own = Share.objects.filter(conversation__owner=user).select_related("user", "group")

    def told(share: Share) -> dict[str, object]:
        return {
            "conversation": share.conversation_id,
            "user": share.user and share.user.username,
            "group": share.group and share.group.name,
            "role": share.role,
            "created_at": share.created_at,
        }

    return fact_lines(own, told)


def _feedback(user: User) -> Iterator[bytes]:
    others = Feedback.objects.filter(user=user).exclude(message__conversation__owner=user)
    return fact_lines(others, lambda row: columns(row, FEEDBACK))


FACTS_OF_CONVERSATIONS = [
    Part(f"{FACTS}turns.jsonl", _turns),
    Part(f"{FACTS}usage.jsonl", _usage),
    Part(f"{FACTS}shares.jsonl", _shares),
    Part(f"{FACTS}feedback.jsonl", _feedback),
]
