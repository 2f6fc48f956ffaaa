"""Booking the usage of upstream requests, and correcting bookings by additional rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from django.conf import settings
from django.db import transaction

from conversations import clock
from conversations.claude import pricing
from conversations.content.folding import Folded
from conversations.content.transcript import encode
from conversations.contract.event_types import UsageSum
from conversations.errors import Conflict, InvalidRequest
from conversations.models import Conversation, Turn, Usage, User
from conversations.services.billing import budgets
from conversations.services.billing.price_list import PriceList
from conversations.services.billing.pseudonyms import pseudonym_of

# About the length of a token of English; used only if Claude's own count was not received.
CHARACTERS_PER_TOKEN = 3.5

# The columns that are negative in a row that cancels another one.
NUMBERS = (
    "requests",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "thinking_tokens",
    "web_search_requests",
    "web_fetch_requests",
    "cost",
)


@dataclass(frozen=True)
class RequestRecord:
    """The known facts of an upstream request besides its answer."""

    request_id: str = ""
    error_type: str = ""
    duration: timedelta | None = None
    time_to_first_delta: timedelta | None = None


def estimated_usage(answer: Folded, asked: Callable[[], Mapping[str, object]] | None) -> dict[str, object]:
    """Return an estimate of the usage of an answer that does not report it, or was cut before.

    Cancelled requests are billed for the generated output (claude-api.md 4.3), so the estimate of the output is the
    length of the answer so far. An unreported input is estimated from the request that `asked` returns.
    """
    usage = dict(answer.usage)
    if answer.stopped and pricing.as_count(usage.get("output_tokens")) is not None:
        output = pricing.count(usage, "output_tokens")
    else:
        strings = [str(block.get(key, "")) for block in answer.content for key in ("text", "thinking", "input")]
        length = math.ceil(sum(map(len, strings)) / CHARACTERS_PER_TOKEN)
        output = max(pricing.count(usage, "output_tokens"), length)
    if asked and pricing.as_count(usage.get("input_tokens")) is None:
        usage.update(unanswered_request(asked()).usage)
    return {**usage, "output_tokens": output}


def unanswered_request(request: Mapping[str, object]) -> Folded:
    """Return an empty answer with an estimated input, for a request that was cut before its answer began."""
    said = len(encode({name: request.get(name) for name in ("system", "tools", "messages")}))
    return Folded("assistant", usage={"input_tokens": math.ceil(said / CHARACTERS_PER_TOKEN), "output_tokens": 0})


def book(row: Usage) -> Usage:
    """Add the row of an upstream request to the ledger, and to the budgets' spending; return it.

    Within the caller's transaction.
    """
    row.save(force_insert=True)
    budgets.spend(row)
    return row


def ledger_row(
    *,
    user: User,
    answer: Folded,
    model: str,
    upstream: RequestRecord,
    turn: Turn | None = None,
    conversation: Conversation | None = None,
    purpose: Usage.Purpose = Usage.Purpose.TURN,
    asked: Callable[[], Mapping[str, object]] | None = None,
    prices: PriceList | None = None,
) -> Usage:
    """Return the unsaved row of an upstream request, at the prices of the given moment, by default the present.

    `model` is the requested model; the one that Claude reports takes precedence. If Claude's final usage is missing or
    unreadable, it is estimated and the row is marked; `asked` returns the request, from which an unknown input is
    estimated.
    """
    prices = prices or PriceList.at(clock.now())
    model = str(answer.envelope.get("model") or model)
    told = answer.stopped and pricing.is_readable(answer.usage)
    raw = answer.usage if told else estimated_usage(answer, asked)
    return Usage(
        user=user,
        username=ledger_name(user),
        purpose=purpose,
        conversation=turn.conversation if turn else conversation,
        turn=turn,
        request_id=upstream.request_id,
        source=Usage.Source.PROVIDER if told else Usage.Source.ESTIMATE,
        stop_reason=answer.stop_reason,
        error_type=upstream.error_type,
        duration=upstream.duration,
        time_to_first_delta=upstream.time_to_first_delta,
        created_at=prices.moment,
        **_priced(model, raw, prices),
    )


def ledger_name(user: User) -> str:
    """Return a user's name in the ledger: their name or, if names are not kept, a pseudonym."""
    return user.get_username() if settings.COLLOQUY_KEEP_NAMES else pseudonym_of(user.pk)


def _priced(model: str, raw: Mapping[str, object], prices: PriceList) -> dict[str, object]:
    """Return the columns that are computed from the model and Claude's usage object."""
    counts, terms = pricing.counts(raw), pricing.service_terms(raw)
    price = prices.price(model, counts, terms)
    return {
        **vars(counts),
        **vars(terms),
        "model": model,
        "thinking_tokens": pricing.count(raw, "output_tokens_details", "thinking_tokens"),
        "web_fetch_requests": pricing.count(raw, "server_tool_use", "web_fetch_requests"),
        "batch": terms.batch,
        "raw": raw,
        "cost": price.cost if price else None,
        "prices": price.shown() if price else {},
        "override_id": price.rates.override if price else None,
    }


def correct(*, row: Usage, reason: str, usage: Mapping[str, object] | None = None, model: str = "") -> list[Usage]:
    """Cancel the booking of a request and, if a usage object is given, book that in its place.

    `row` is any of the request's rows. The added rows have the time of the request and that day's prices as they are
    known now, so that sums over that time become right; with unchanged usage, only the price is computed again.
    """
    if usage is not None:
        _check(usage)
    with transaction.atomic(durable=True):
        first = Usage.objects.select_for_update(no_key=True).get(pk=row.corrects_id or row.pk)
        if first.turn_id and Turn.objects.filter(pk=first.turn_id, status__in=Turn.ACTIVE).exists():
            raise Conflict("This request belongs to a turn that has not ended: correct it when the turn has.")
        booked = standing_row(first)
        added = [_correction(first, booked, reason, **_negated(booked))]
        if usage is not None:
            source = booked.source if usage == booked.raw else Usage.Source.PROVIDER
            anew = _priced(model or booked.model, usage, PriceList.at(booked.created_at))
            added.append(_correction(first, booked, reason, source=source, **anew))
        return added


def _check(usage: Mapping[str, object]) -> None:
    """Refuse what is not a usage object of Claude's: a misspelt count would be booked as zero."""
    if not pricing.is_readable(usage) or not all(type(each) is int for each in pricing.counts_in(usage)):
        raise InvalidRequest.at(
            "usage",
            "Must be Claude's usage object: `input_tokens`, `output_tokens` and its other counts, whole numbers.",
        )


def standing_row(row: Usage) -> Usage:
    """Return the row with which a request is booked at present. Raise Conflict if it was cancelled."""
    first = row.corrects or row
    rows = [first, *first.corrections.order_by("pk")]
    if not sum(each.requests for each in rows):
        raise Conflict("This request was cancelled in the ledger already: nothing of it is booked any more.")
    return next(each for each in reversed(rows) if each.requests > 0)


def _negated(booked: Usage) -> dict[str, object]:
    numbers = {name: getattr(booked, name) for name in NUMBERS}
    return {name: None if number is None else -number for name, number in numbers.items()}


def _correction(first: Usage, booked: Usage, reason: str, **columns: object) -> Usage:
    """Add a copy of the booked row with these columns changed."""
    same = {each.attname: getattr(booked, each.attname) for each in Usage._meta.concrete_fields if each.name != "id"}
    row = Usage.objects.create(**{**same, "corrects_id": first.pk, "reason": reason, **columns})
    budgets.spend(row)
    return row


def usage_sum(rows: Iterable[Usage]) -> UsageSum:
    """Return the summed usage of several upstream requests, in the contract's names."""
    rows = list(rows)
    return {
        "input_tokens": sum(row.input_tokens for row in rows),
        "output_tokens": sum(row.output_tokens for row in rows),
        "cache_creation_input_tokens": sum(row.cache_write_5m_tokens + row.cache_write_1h_tokens for row in rows),
        "cache_read_input_tokens": sum(row.cache_read_tokens for row in rows),
        "requests": sum(row.requests for row in rows),
    }


def total_cost(rows: Iterable[Usage]) -> str | None:
    """Return the cost in US dollars as a decimal string; None if one of the prices is unknown."""
    rows = list(rows)
    if sum(row.requests for row in rows if row.cost is None):
        return None
    return pricing.decimal_string(sum((row.cost for row in rows if row.cost is not None), Decimal(0)))
