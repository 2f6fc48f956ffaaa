"""What the caller has used: sums over a time, and the ledger's rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view, inline_serializer
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from conversations import clock
from conversations.api.pagination import NO_MORE
from conversations.api.queries import Queried, RecordsQuery, SumsQuery, query_of
from conversations.api.requesters import user_of
from conversations.api.serializer_fields import Json
from conversations.api.whole_lists import WholeList, page_of
from conversations.claude.pricing import decimal_string
from conversations.contract.account import Prices
from conversations.contract.error_types import StopReason
from conversations.errors import InvalidRequest
from conversations.models import Usage
from conversations.services.billing.usage_sums import NOTHING, OF_ROWS, Key, Sums, usage_sums_of

PERIOD = timedelta(days=30)
RECORD_COLUMNS = ("conversation", "turn", "model", "purpose", "source")
GROUPS_LIMIT = 10_000
BEYOND = "Must be at least 30 days after the first day of the calendar, if there is no `from`."
COUNTS = ("input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "requests")
SUM = inline_serializer(
    "UsageSums",
    {
        "day": serializers.DateField(required=False),
        "model": serializers.CharField(required=False),
        "conversation": serializers.UUIDField(required=False, allow_null=True),
        "tag": serializers.CharField(required=False, allow_null=True, help_text="Null for conversations without tags."),
        **{name: serializers.IntegerField() for name in (*COUNTS, "unpriced_requests")},
        "cost": serializers.CharField(
            allow_null=True, help_text="US dollars, for the requests whose prices are known."
        ),
    },
)


PAGE = inline_serializer(
    "UsagePage",
    {
        **{name: serializers.URLField(allow_null=True, help_text=NO_MORE) for name in ("next", "previous")},
        "results": serializers.ListField(child=SUM),
        "total": SUM,
    },
)


class UsageSums(Queried):
    """The caller's own sums."""

    queries = {"get": SumsQuery}

    @extend_schema(
        operation_id="getUsage",
        summary="Get usage sums",
        description="Returns the caller's usage and cost in a period, grouped by day, model, conversation or tag, "
        "and the total of the period. The usage of a conversation with several tags is included in the sum of each "
        "tag.",
        responses=PAGE,
    )
    def get(self, request: Request) -> Response:
        """Answer with the caller's sums in a period, grouped by day, model or conversation."""
        query = query_of(request)
        since, until = period_of(query)
        names: list[str] = query.get("group_by", [])
        found = usage_sums_of(user=user_of(request), since=since, until=until, by=names) if names else {}
        if len(found) > GROUPS_LIMIT:
            raise InvalidRequest.at(
                "group_by", f"There are more than {GROUPS_LIMIT} groups: ask for a shorter time with `from` and `to`."
            )
        total = usage_sums_of(user=user_of(request), since=since, until=until, by=()).get((), NOTHING)
        return Response({**page_of(_listed(found, names), request), "total": _shown(total)})


def _listed(found: Mapping[Key, Sums], names: Sequence[str]) -> WholeList:
    """Return sums as a list in order, each with the values of its group."""
    return WholeList.of(
        f"usage by {','.join(names)}",
        (
            ([(value is None, str(value)) for value in key], {**dict(zip(names, key, strict=True)), **_shown(row)})
            for key, row in found.items()
        ),
    )


def _shown(row: Sums) -> dict[str, object]:
    """Return a row of sums in the contract's names; the cost is null if no price is known."""
    counts = {name: row[f"sum_{name}"] for name in (*COUNTS, "unpriced_requests")}
    known = counts["requests"] > counts["unpriced_requests"] or not counts["requests"]
    return {**counts, "cost": decimal_string(row["sum_cost"] or 0) if known else None}


def sums_of(rows: QuerySet[Usage]) -> dict[str, object]:
    """Return the sums of rows in a turn's representation: the cost is null if any price is unknown."""
    found = rows.aggregate(**OF_ROWS)
    cost = None if found["sum_unpriced_requests"] else decimal_string(found["sum_cost"] or 0)
    return {"usage": {name: found[f"sum_{name}"] for name in COUNTS}, "cost": cost}


def of_period(rows: QuerySet[Usage], query: Mapping[str, Any]) -> QuerySet[Usage]:
    """Return the rows in the period of a `PeriodQuery`; of the last 30 days if it has no beginning.

    Raises InvalidRequest for a beginning that no calendar has.
    """
    since, until = period_of(query)
    rows = rows.filter(created_at__gte=since)
    return rows.filter(created_at__lt=until) if until else rows


def period_of(query: Mapping[str, Any]) -> tuple[datetime, datetime | None]:
    """Return the period of a `PeriodQuery`: from, and to before, where None is now. Raise as `of_period`."""
    until = query.get("to")
    try:
        return query.get("from") or (until or clock.now()) - PERIOD, until
    except OverflowError:
        raise InvalidRequest(f"to: {BEYOND}", details={"to": BEYOND}) from None


class UsageRecordSerializer(serializers.ModelSerializer[Usage]):
    """A row of the ledger: the usage and cost of one request to Claude."""

    conversation = serializers.UUIDField(source="conversation_id", allow_null=True)
    turn = serializers.UUIDField(source="turn_id", allow_null=True)
    stop_reason = Json(shape=StopReason, allow_null=True)
    prices = Json(shape=Prices)
    cache_creation_input_tokens = serializers.SerializerMethodField(
        help_text="Tokens written to the cache, for both lifetimes together."
    )
    cache_read_input_tokens = serializers.IntegerField(source="cache_read_tokens")
    cost = serializers.SerializerMethodField(help_text="US dollars, unrounded; null if the price is unknown.")
    duration_ms = serializers.SerializerMethodField(help_text="From sending the request to the end of its stream.")
    time_to_first_delta_ms = serializers.SerializerMethodField(help_text="From sending the request to its first delta.")

    class Meta:
        model = Usage
        fields = (
            "id",
            "purpose",
            "conversation",
            "turn",
            "model",
            "request_id",
            "input_tokens",
            "output_tokens",
            "cache_creation_input_tokens",
            "cache_write_5m_tokens",
            "cache_write_1h_tokens",
            "cache_read_input_tokens",
            "thinking_tokens",
            "web_search_requests",
            "web_fetch_requests",
            "service_tier",
            "speed",
            "inference_geo",
            "batch",
            "source",
            "cost",
            "prices",
            "stop_reason",
            "error_type",
            "requests",
            "corrects",
            "reason",
            "duration_ms",
            "time_to_first_delta_ms",
            "created_at",
        )

    def get_cache_creation_input_tokens(self, row: Usage) -> int:
        """Return the tokens written to the cache for both lifetimes together, as Claude counts them."""
        return row.cache_write_5m_tokens + row.cache_write_1h_tokens

    def get_cost(self, row: Usage) -> str | None:
        """Return the cost as a decimal string."""
        return None if row.cost is None else decimal_string(row.cost)

    def get_duration_ms(self, row: Usage) -> int | None:
        """Return the time from sending the request to the end of its stream."""
        return _milliseconds(row.duration)

    def get_time_to_first_delta_ms(self, row: Usage) -> int | None:
        """Return the time from sending the request to its first delta."""
        return _milliseconds(row.time_to_first_delta)


def _milliseconds(duration: timedelta | None) -> int | None:
    return None if duration is None else duration // timedelta(milliseconds=1)


@extend_schema_view(
    get=extend_schema(
        operation_id="listUsageRecords",
        summary="List usage records",
        description="Returns the caller's own rows of the ledger, one for each request to Claude, newest first.",
    )
)
class UsageRecords(Queried, ListAPIView[Usage]):
    """The caller's own rows, newest first."""

    serializer_class = UsageRecordSerializer
    queryset = Usage.objects.none()
    queries = {"get": RecordsQuery}

    def get_queryset(self) -> QuerySet[Usage]:
        """Return those that the query names; of all times where it names none.

        An id of something that is gone, or another's, finds nothing.
        """
        query = query_of(self.request)
        columns = {name: query[name] for name in RECORD_COLUMNS if name in query}
        rows = Usage.objects.visible_to(self.request.user).filter(**columns)
        return of_period(rows, query) if {"from", "to"} & query.keys() else rows
