"""Sums of a user's ledger rows, from the daily sums of whole days and the rows of partial days."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models import Aggregate, Count, Expression, F, Model, Q, QuerySet, Sum
from django.db.models.functions import TruncDate

from conversations.models import Conversation, DailyConversation, DailyUsage, Usage, User

# Under names that are not columns.
TOKENS: dict[str, Aggregate] = {
    "sum_input_tokens": Sum("input_tokens", default=0),
    "sum_output_tokens": Sum("output_tokens", default=0),
    "sum_cache_creation_input_tokens": Sum(F("cache_write_5m_tokens") + F("cache_write_1h_tokens"), default=0),
    "sum_cache_read_input_tokens": Sum("cache_read_tokens", default=0),
    "sum_requests": Sum("requests", default=0),
    "sum_cost": Sum("cost", default=0),
}
OF_ROWS = {**TOKENS, "sum_unpriced_requests": Sum("requests", filter=Q(cost__isnull=True), default=0)}
OF_DAYS = {**TOKENS, "sum_unpriced_requests": Sum("unpriced", default=0)}
BY_ROWS: dict[str, Expression | F] = {
    "day": TruncDate("created_at", tzinfo=UTC),
    "model": F("model"),
    "conversation": F("conversation_id"),
}
BY_DAYS = {**BY_ROWS, "day": F("day")}

NO_TAG = (None,)

NOTHING = dict.fromkeys(OF_ROWS, 0)

Key = tuple[Any, ...]
Sums = dict[str, Any]


def usage_sums_of(*, user: User, since: datetime, until: datetime | None, by: Sequence[str]) -> dict[Key, Sums]:
    """Return the sums of the user's rows from `since` to before `until` (None: now), named as in `OF_ROWS`.

    The keys are the values of `by`, any of `BY_ROWS` and "tag", in their order; without any there is one empty key.
    Usage in a conversation with several tags is in the sums of each of them.
    """
    if "tag" in by:
        return _by_tag(user, since, until, by)
    found: defaultdict[Key, Sums] = defaultdict(NOTHING.copy)
    for part in _parts(user, since, until, by):
        for row in part:
            group = found[tuple(row[f"by_{name}"] for name in by)]
            for name in OF_ROWS:
                group[name] += row[name]
    return _ordered(found)


def _by_tag(user: User, since: datetime, until: datetime | None, by: Sequence[str]) -> dict[Key, Sums]:
    """Return the sums by the present tags of conversations; None stands for no tag."""
    names = [*(name for name in by if name not in ("tag", "conversation")), "conversation"]
    tags: dict[object, list[str]] = dict(
        Conversation.objects.filter(owner=user).exclude(tags=[]).values_list("pk", "tags")
    )
    found: defaultdict[Key, Sums] = defaultdict(NOTHING.copy)
    for key, sums in usage_sums_of(user=user, since=since, until=until, by=names).items():
        values = dict(zip(names, key, strict=True))
        for tag in tags.get(values["conversation"], NO_TAG):
            group = found[tuple(tag if name == "tag" else values[name] for name in by)]
            for name in OF_ROWS:
                group[name] += sums[name]
    return _ordered(found)


def _ordered(found: Mapping[Key, Sums]) -> dict[Key, Sums]:
    return dict(sorted(found.items(), key=lambda each: [(value is None, value) for value in each[0]]))


def _parts(user: User, since: datetime, until: datetime | None, by: Sequence[str]) -> Iterator[QuerySet[Model, Sums]]:
    first = _day_from(since)
    last = until.astimezone(UTC).date() if until else None
    if first is None or (last is not None and last <= first):
        yield _of_rows(user, since, until, by)
        return
    if _midnight(first) > since:
        yield _of_rows(user, since, _midnight(first), by)
    yield _of_days(user, first, last, by)
    if until and last and until > _midnight(last):
        yield _of_rows(user, _midnight(last), until, by)


def _of_rows(user: User, since: datetime, until: datetime | None, by: Sequence[str]) -> QuerySet[Model, Sums]:
    rows = Usage.objects.visible_to(user).filter(created_at__gte=since)
    rows = rows.filter(created_at__lt=until) if until else rows
    return _grouped(rows, {name: BY_ROWS[name] for name in by}, OF_ROWS)


def _of_days(user: User, first: date, last: date | None, by: Sequence[str]) -> QuerySet[Model, Sums]:
    table = DailyConversation if "conversation" in by else DailyUsage
    rows = table._base_manager.filter(user=user, day__gte=first)
    rows = rows.filter(day__lt=last) if last else rows
    return _grouped(rows, {name: BY_DAYS[name] for name in by}, OF_DAYS)


def _grouped(
    rows: QuerySet[Model], by: Mapping[str, Expression | F], what: Mapping[str, Aggregate]
) -> QuerySet[Model, Sums]:
    # Without a column to group by, a constant forms a single group, which exists only if there are rows.
    keys = {f"by_{name}": column for name, column in by.items()}
    grouped = rows.order_by().values(**keys) if keys else rows.order_by().values(by_nothing=F("user_id"))
    summed: QuerySet[Model, Sums] = grouped.annotate(**what, rows=Count("pk"))
    return summed


def _day_from(since: datetime) -> date | None:
    """Return the first day (UTC) that begins at or after a time; None at the end of the calendar."""
    at = since.astimezone(UTC)
    if at.time() == time():
        return at.date()
    return None if at.date() == date.max else at.date() + timedelta(days=1)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
