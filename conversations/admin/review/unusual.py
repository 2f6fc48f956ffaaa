"""Users whose week is far above their own earlier weeks, with the causes."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from statistics import median
from typing import Any

from django.db.models import Count, Expression, Max, Q, QuerySet, Sum

from conversations.admin.review import changes
from conversations.admin.review.scope import DAY, Scope
from conversations.admin.review.totals import ValuesRow
from conversations.models import DailyUsage

EARLIER = 8
"""The number of weeks with which a week is compared."""
FEWEST = 3
"""The minimal number of these weeks since a user began; with fewer there is no usual week yet."""
FLOOR = Decimal(5)
"""The minimal difference to the usual week, in US dollars, that is shown."""
SPREAD = Decimal("1.4826") * 5
"""Five standard deviations, estimated from the median absolute deviation, which a single outlier does not change."""
OVER = Decimal("1.5")
"""The minimal ratio of a week to the usual week."""
SHOWN = 10


@dataclass(frozen=True)
class Unusual:
    """A user's week that is far above their usual one."""

    user: uuid.UUID
    name: str
    week: tuple[date, date]
    cost: Decimal
    usual: Decimal
    """The median of their weeks before."""
    model: str
    """The model with the highest cost."""
    share: Decimal
    """Its share of the cost, 0 to 1."""
    conversations: int
    url: str
    """The URL of the conversations, each with its difference to the week before."""

    @property
    def words(self) -> str:
        """Return the description of the unusual week."""
        many = f"{self.conversations} conversation{'' if self.conversations == 1 else 's'}"
        most = f"{'mostly' if self.share >= Decimal('0.5') else 'most of it'} {self.model}"
        return f"{self._times}, {most}, {many}"

    @property
    def _times(self) -> str:
        if self.usual <= 0:
            return "usually nothing in a week"
        times = self.cost / self.usual
        return f"{times:.{0 if times >= 10 else 1}f} times their usual week (${self.usual:,.2f})"


def usual_week(earlier: Sequence[Decimal]) -> Decimal | None:
    """Return the usual cost of a user's week, from the costs of earlier weeks, the oldest first. Pure.

    The weeks before the first one with any cost do not count. None if too few are left.
    """
    known = _known(earlier)
    return median(known) if len(known) >= FEWEST else None


def is_unusual(cost: Decimal, earlier: Sequence[Decimal]) -> bool:
    """Return whether a week's cost is far above those of earlier weeks, the oldest first. Pure."""
    usual = usual_week(earlier)
    if usual is None:
        return False
    spread = median(abs(each - usual) for each in _known(earlier))
    return cost >= usual + max(FLOOR, OVER * usual, SPREAD * spread)


def _known(earlier: Sequence[Decimal]) -> Sequence[Decimal]:
    began = next((at for at, cost in enumerate(earlier) if cost), len(earlier))
    return earlier[began:]


def unusual_users(scope: Scope, until: date, weeks: int = 1) -> list[Unusual]:
    """Return the unusual weeks, of the last weeks until a day; each user once, with the week that is most above."""
    if scope.error or scope.conversation is not None:
        return []
    largest: dict[uuid.UUID, _Week] = {}
    for week in sorted(_weeks(scope, until, weeks), key=lambda each: (each.usual - each.cost, each.user)):
        largest.setdefault(week.user, week)
    return [_told(scope, each) for each in _looked_into(scope, list(largest.values())[:SHOWN])]


@dataclass
class _Week:
    user: uuid.UUID
    name: str
    span: tuple[date, date]
    cost: Decimal
    usual: Decimal
    conversations: int = 0
    model: str = ""
    most: Decimal = Decimal(0)


def _weeks(scope: Scope, until: date, weeks: int) -> Iterator[_Week]:
    """Read the sums of all weeks, for users who may be unusual, by one statement."""
    spans = [(until - (7 * n + 6) * DAY, until - 7 * n * DAY) for n in range(weeks + EARLIER)]
    sums: dict[str, Expression] = {
        f"week{n}": Sum("cost", filter=Q(day__range=span), default=Decimal(0)) for n, span in enumerate(spans)
    }
    worth_it = Q()
    for n in range(weeks):
        worth_it |= Q(**{f"week{n}__gte": FLOOR})
    rows = scope.daily_in((spans[-1][0], until)).filter(user__isnull=False).order_by().values("user")
    found: QuerySet[DailyUsage, Any] = rows.annotate(name=Max("username"), **sums).filter(worth_it)
    for row in found:
        yield from _unusual_weeks(row, spans, weeks)


def _unusual_weeks(row: ValuesRow, spans: Sequence[tuple[date, date]], weeks: int) -> Iterator[_Week]:
    costs = [row[f"week{n}"] for n in range(len(spans))]
    for n in range(weeks):
        earlier = costs[n + EARLIER : n : -1]
        if is_unusual(costs[n], earlier):
            yield _Week(row["user"], row["name"], spans[n], costs[n], usual_week(earlier) or Decimal(0))


def _looked_into(scope: Scope, found: list[_Week]) -> list[_Week]:
    """Add the most expensive model and the number of conversations to each week, by two statements."""
    if not found:
        return []
    among = Q()
    for each in found:
        among |= Q(user=each.user, day__range=each.span)
    whole = min(each.span[0] for each in found), max(each.span[1] for each in found)
    by_user = {each.user: each for each in found}
    spent = scope.daily_in(whole).filter(among).order_by().values_list("user", "model")
    for user, model, cost in spent.annotate(cost=Sum("cost")).order_by("cost", "model"):
        by_user[user].model, by_user[user].most = model, cost
    rows = scope.within(day=None, since=whole[0], until=whole[1]).daily_conversations().filter(among)
    counts = rows.order_by().values_list("user").annotate(Count("conversation", distinct=True))
    for user, conversations in counts:
        by_user[user].conversations = conversations
    return found


def _told(scope: Scope, week: _Week) -> Unusual:
    since, until = week.span
    url = changes.address(scope.within(day=None, user=week.user, since=since, until=until), by="conversation")
    share = week.most / week.cost
    return Unusual(week.user, week.name, week.span, week.cost, week.usual, week.model, share, week.conversations, url)
