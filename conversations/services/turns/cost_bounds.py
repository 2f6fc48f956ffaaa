"""Computing the maximal cost of a request before it is sent, for budget holds."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from conversations import clock
from conversations.claude import catalogue, pricing
from conversations.claude.fitting import most_tokens
from conversations.claude.pricing import PLAIN, ServiceTerms, TokenCounts
from conversations.content.folding import Folded
from conversations.contract.wire import Request, Tool
from conversations.database import prepared
from conversations.models import Message, Turn, Usage
from conversations.services.billing.price_list import PriceList
from conversations.services.files import attachments
from conversations.services.turns import message_paths, turn_requests

OVERHEAD = 1000  # tokens of prompts of Claude's own, for tools and formats (claude-api.md 8)
USES = 10  # of a tool of Claude's that says no `max_uses`
RESULTS = {"web_search_": 20_000, "web_fetch_": 100_000, "code_execution_": 10_000}
"""Tokens that a result of a tool that Claude runs can have, by the beginnings of the tools' types. They are input.

A tool may say less as its `max_content_tokens`.
"""


@dataclass(frozen=True)
class Bound:
    """The maximal input and searches of a request, under a model's prices."""

    model: str
    input_tokens: int
    at: datetime
    """The time whose prices apply."""
    searches: int = 0
    for_an_hour: bool = False
    """Whether the input may be cached for an hour, which costs most."""
    served: ServiceTerms = PLAIN
    """How the request will be served, as far as it is cheaper: in a Message Batch, at half the price."""

    def cost(self, max_tokens: int) -> Decimal:
        """Return the maximal cost of the request in US dollars, with so many tokens of output."""
        name = "cache_write_1h_tokens" if self.for_an_hour else "cache_write_5m_tokens"
        plain = TokenCounts(self.input_tokens, max_tokens, web_search_requests=self.searches)
        written = TokenCounts(output_tokens=max_tokens, web_search_requests=self.searches, **{name: self.input_tokens})
        found = (
            self._prices.price(self.model, each, self.served) or pricing.fallback_price(each)
            for each in (plain, written)
        )
        return max(each.cost for each in found)

    @cached_property
    def _prices(self) -> PriceList:
        return PriceList.at(self.at)

    def affordable(self, amount: Decimal, max_tokens: int) -> int:
        """Return how many of `max_tokens` of output an amount pays for; less than one if not even the input."""
        nothing, all = self.cost(0), self.cost(max_tokens)
        if amount >= all or all == nothing:
            return max_tokens
        return int((amount - nothing) * max_tokens / (all - nothing))


def bound_of_turn(turn: Turn) -> Bound:
    """Return the bound of a turn's first request: Claude's earlier token counts of its path, and the new content."""
    if turn_requests.is_in_memory(turn):
        return bound_of_request(turn_requests.request_of_turn(turn, []), at=turn.created_at)
    asked = turn.continues or turn.question
    after, new = (asked.parent_id, [asked]) if asked.role == Message.Role.USER else (asked.pk, [])
    known = _counted(turn, after) if after else None
    if known is None:
        path = message_paths.path_to(turn.conversation_id, turn.answers_after)
        return bound_of_request(turn_requests.request_for_path(path, turn.settings, attachments.with_sizes))
    return bound_of_request(_with_new(turn, new), known)


def bound_of_next_request(turn: Turn, folded: list[Folded]) -> Bound:
    """Return the bound of a later request of a turn, after these messages of its own."""
    answers = [at for at, each in enumerate(folded) if each.role == Message.Role.ASSISTANT]
    used, new = folded[answers[-1]].usage, folded[answers[-1] + 1 :]
    if not pricing.is_readable(used):
        return bound_of_request(turn_requests.request_of_turn(turn, folded, attachments.with_sizes))
    return bound_of_request(_with_new(turn, new), _used(pricing.counts(used)))


def _with_new(turn: Turn, new: Iterable[Message | Folded]) -> Request:
    """Return the parts of a request that its bound needs: settings, and those of its messages that are new."""
    said = [{"role": each.role, "content": attachments.with_sizes(each.content)} for each in new]
    whole: Any = {**turn.settings, "messages": said}
    request: Request = whole
    return request


# The usage of a turn whose last message is this answer, and whose last request created it.
COUNTED = """
SELECT turn.settings, usage.raw
FROM conversations_message AS answer
JOIN conversations_turn AS turn ON turn.id = answer.turn_id
JOIN LATERAL (
    SELECT raw, stop_reason FROM conversations_usage
    WHERE turn_id = turn.id AND source = %(provider)s ORDER BY id DESC LIMIT 1
) AS usage ON usage.stop_reason IS NOT DISTINCT FROM answer.stop_reason
WHERE answer.id = %(answer)s AND NOT EXISTS (
    SELECT FROM conversations_message AS later WHERE later.turn_id = turn.id AND later.id > answer.id
)
"""


def _counted(turn: Turn, answer: uuid.UUID) -> int | None:
    """Return Claude's token count up to and including an answer; None if it does not apply to this turn."""
    rows = prepared(COUNTED, {"answer": answer, "provider": Usage.Source.PROVIDER.value})
    for settings, raw in rows:
        if turn_requests.request_prefix(settings) == turn_requests.request_prefix(turn.settings):
            return _used(pricing.counts(raw))
    return None


def _used(counts: TokenCounts) -> int:
    return counts.prompt + counts.output_tokens


def bound_of_request(
    request: Request, known: int = 0, at: datetime | None = None, served: ServiceTerms = PLAIN
) -> Bound:
    """Return the bound of a Messages request, at the prices of a time, by default the present.

    `known` tokens of its input are counted already, and not in the request; `served` says how it will be served.
    """
    tools = request.get("tools") or []
    searches = sum(_uses(each) for each in tools if _family(each) == "web_search_")
    results = sum(_uses(each) * _result_tokens(each) for each in tools)
    tokens = known + most_tokens(request) + OVERHEAD + results
    model = catalogue.find(request["model"]) if results else None
    if model:  # no more than its window of them can be read at once
        tokens = max(tokens - results, min(tokens, model.context_window))
    return Bound(request["model"], tokens, at or clock.now(), searches, _for_an_hour(request), served)


def _family(tool: Tool) -> str | None:
    kind = str(tool.get("type"))
    return next((family for family in RESULTS if kind.startswith(family)), None)


def _uses(tool: Tool) -> int:
    return max(1, tool.get("max_uses") or USES)


def _result_tokens(tool: Tool) -> int:
    family = _family(tool)
    return tool.get("max_content_tokens") or RESULTS[family] if family else 0


def _for_an_hour(value: object) -> bool:
    if isinstance(value, dict):
        control = value.get("cache_control")
        return (isinstance(control, dict) and control.get("ttl") == "1h") or any(map(_for_an_hour, value.values()))
    return isinstance(value, list) and any(map(_for_an_hour, value))
