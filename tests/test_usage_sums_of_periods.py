"""A user's usage has the same sums by days as by rows, for any time and any grouping."""

from __future__ import annotations

import uuid
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conversations.models import Usage, User
from conversations.services.billing.usage_sums import usage_sums_of

BEGAN = datetime(2026, 3, 1, tzinfo=UTC)
CONVERSATIONS = [None, uuid.uuid4(), uuid.uuid4()]
HOURS = st.integers(0, 5 * 24).map(lambda hours: BEGAN + timedelta(hours=hours))
ROWS = st.lists(
    st.tuples(
        HOURS,
        st.sampled_from(["one", "two"]),
        st.sampled_from(CONVERSATIONS),
        st.integers(0, 1000),
        st.none() | st.integers(0, 50).map(Decimal),
    ),
    max_size=12,
)
GROUPS = st.lists(st.sampled_from(["day", "model", "conversation"]), unique=True)


def added_up(rows: list[Usage], by: list[str]) -> dict[tuple[Any, ...], dict[str, Any]]:
    found: defaultdict[tuple[Any, ...], dict[str, Any]] = defaultdict(
        lambda: {"sum_input_tokens": 0, "sum_requests": 0, "sum_cost": 0, "sum_unpriced_requests": 0}
    )
    for row in rows:
        values = {"day": row.created_at.date(), "model": row.model, "conversation": row.conversation_id}
        group = found[tuple(values[name] for name in by)]
        group["sum_input_tokens"] += row.input_tokens
        group["sum_requests"] += row.requests
        group["sum_cost"] += row.cost or 0
        group["sum_unpriced_requests"] += row.requests if row.cost is None else 0
    return dict(found)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, since=HOURS, until=st.none() | HOURS, by=GROUPS)
def test_they_are_the_sums_of_the_rows(database: str, rows: Any, since: datetime, until: Any, by: list[str]) -> None:
    user = User.objects.create(username=f"user-{uuid.uuid4()}")
    made = [
        Usage.objects.create(
            user=user,
            username=user.username,
            created_at=at,
            model=model,
            conversation_id=conversation,
            input_tokens=tokens,
            cost=cost,
            source="provider",
        )
        for at, model, conversation, tokens, cost in rows
    ]
    within = [row for row in made if since <= row.created_at and (until is None or row.created_at < until)]
    found = usage_sums_of(user=user, since=since, until=until, by=by)
    expected = added_up(within, by)
    assert {key: {name: row[name] for name in expected[key]} for key, row in found.items()} == expected
