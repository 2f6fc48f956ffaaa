"""Booking what upstream requests used."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from conversations.claude import pricing
from conversations.models import Turn, Usage, User
from conversations.models.usage import WORD
from conversations.services.prices import PriceList
from conversations.transcript import Folded, encode

# About what a token of English is; only used where Claude's own count never came.
CHARACTERS_PER_TOKEN = 3.5


@dataclass(frozen=True)
class Upstream:
    """What is known of one upstream request besides what it answered."""

    request_id: str = ""
    error_type: str = ""
    duration: timedelta | None = None
    time_to_first_delta: timedelta | None = None


def with_output_estimated(message: Folded) -> dict[str, Any]:
    """The usage of an answer that was cut: cancelled requests are billed for what was generated (claude-api.md 4.3)."""
    strings = [str(block.get(key, "")) for block in message.content for key in ("text", "thinking", "input")]
    estimate = math.ceil(sum(map(len, strings)) / CHARACTERS_PER_TOKEN)
    return {**message.usage, "output_tokens": max(message.usage.get("output_tokens") or 0, estimate)}


def unanswered(request: dict[str, Any]) -> Folded:
    """The answer to a request that was cut before its answer began: nothing, at an estimated input."""
    said = len(encode({name: request.get(name) for name in ("system", "tools", "messages")}))
    return Folded("assistant", usage={"input_tokens": math.ceil(said / CHARACTERS_PER_TOKEN), "output_tokens": 0})


def book(
    *,
    user: User,
    answer: Folded,
    model: str,
    upstream: Upstream,
    turn: Turn | None = None,
    purpose: Usage.Purpose = Usage.Purpose.TURN,
) -> Usage:
    """Adds the row of an upstream request to the ledger, priced at today's price. Within the caller's transaction.

    `model` is the one that was asked for; Claude's own word on which answered comes before it. Where Claude's last word
    on the usage never came, the output is estimated and the row says so.
    """
    model = str(answer.envelope.get("model") or model)
    raw = answer.usage if answer.stopped else with_output_estimated(answer)
    counts, terms = pricing.counts(raw), pricing.terms(raw)
    price = PriceList(timezone.now()).price(model, counts, terms)
    return Usage.objects.create(
        user=user,
        username=user.get_username(),
        purpose=purpose,
        conversation=turn.conversation if turn else None,
        turn=turn,
        model=model,
        request_id=upstream.request_id,
        input_tokens=counts.input_tokens,
        output_tokens=counts.output_tokens,
        cache_read_tokens=counts.cache_read_tokens,
        cache_write_5m_tokens=counts.cache_write_5m_tokens,
        cache_write_1h_tokens=counts.cache_write_1h_tokens,
        thinking_tokens=(raw.get("output_tokens_details") or {}).get("thinking_tokens") or 0,
        web_search_requests=counts.web_search_requests,
        web_fetch_requests=(raw.get("server_tool_use") or {}).get("web_fetch_requests") or 0,
        service_tier=terms.service_tier[:WORD],
        speed=terms.speed[:WORD],
        inference_geo=terms.inference_geo[:WORD],
        batch=terms.batch,
        raw=raw,
        source=Usage.Source.PROVIDER if answer.stopped else Usage.Source.ESTIMATE,
        cost=price.cost if price else None,
        prices=price.shown() if price else {},
        override_id=price.rates.override if price else None,
        stop_reason=answer.stop_reason,
        error_type=upstream.error_type,
        duration=upstream.duration,
        time_to_first_delta=upstream.time_to_first_delta,
    )


def summed(rows: Iterable[Usage]) -> dict[str, int]:
    """The usage of several upstream requests together, in the contract's names."""
    rows = list(rows)
    return {
        "input_tokens": sum(row.input_tokens for row in rows),
        "output_tokens": sum(row.output_tokens for row in rows),
        "cache_creation_input_tokens": sum(row.cache_write_5m_tokens + row.cache_write_1h_tokens for row in rows),
        "cache_read_input_tokens": sum(row.cache_read_tokens for row in rows),
        "requests": len(rows),
    }


def total_cost(rows: Iterable[Usage]) -> str | None:
    """US dollars as a decimal string; None where one of the prices is not known, since unknown is not free."""
    costs = [row.cost for row in rows]
    if None in costs:
        return None
    return decimal_string(sum((cost for cost in costs if cost is not None), Decimal(0)))


def decimal_string(amount: Decimal | int) -> str:
    """US dollars as the contract shows them: unrounded, without an exponent or trailing zeros."""
    return f"{Decimal(amount).normalize():f}"
