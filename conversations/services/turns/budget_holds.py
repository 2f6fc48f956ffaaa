"""Holds on a user's budgets for the requests of turns and other work."""

from __future__ import annotations

import uuid

from conversations.claude.pricing import PLAIN, ServiceTerms
from conversations.content.folding import Folded
from conversations.contract.wire import Request
from conversations.errors import BudgetExceeded
from conversations.models import Budget, Turn, User
from conversations.services.billing import budgets
from conversations.services.turns import cost_bounds
from conversations.services.turns.cost_bounds import Bound

LEAST = 16  # tokens of output for which a request is worth sending


def hold_for_turn(turn: Turn) -> None:
    """Hold the maximal cost of a new turn's first request. Raise BudgetExceeded. Within the caller's transaction."""
    applying = budgets.applying_to(turn.user)
    if applying:
        _hold(turn, 1, applying, cost_bounds.bound_of_turn(turn))


def limited_bound(turn: Turn, folded: list[Folded]) -> Bound | None:
    """Return the bound of a later request of a turn, after these events; None if no budget applies."""
    return cost_bounds.bound_of_next_request(turn, folded) if budgets.applying_to(turn.user) else None


def hold_for_request_of_turn(turn: Turn, number: int, bound: Bound) -> None:
    """Hold the maximal cost of a later request of a turn. As `hold_for_turn`."""
    _hold(turn, number, budgets.applying_to(turn.user), bound)


def hold_for_other_work(
    *, user: User, work: uuid.UUID, number: int, request: Request, served: ServiceTerms = PLAIN
) -> None:
    """Hold the maximal cost of a request of other work, once it is built. Raise as `hold_for_turn`."""
    applying = budgets.applying_to(user)
    if applying:
        amount = cost_bounds.bound_of_request(request, served=served).cost(request["max_tokens"])
        budgets.hold(budgets=applying, work=work, number=number, amount=amount)


def _least(turn: Turn) -> int:
    """Return the minimal `max_tokens` of a turn: more than its thinking budget."""
    thinking = (turn.settings.get("thinking") or {}).get("budget_tokens")
    return max(LEAST, thinking + 1) if isinstance(thinking, int) else LEAST


def _hold(turn: Turn, number: int, applying: list[Budget], bound: Bound) -> None:
    max_tokens = turn.settings["max_tokens"]
    try:
        budgets.hold(budgets=applying, work=turn.pk, number=number, amount=bound.cost(max_tokens))
    except BudgetExceeded:
        lowered = bound.affordable(budgets.room_left(applying), max_tokens)
        if not budgets.lowers_max_tokens() or lowered < _least(turn):
            raise
        budgets.hold(budgets=applying, work=turn.pk, number=number, amount=bound.cost(lowered))
        turn.settings = {**turn.settings, "max_tokens": lowered}
        turn.save(update_fields=["settings"])
