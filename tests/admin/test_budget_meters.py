"""The meter of a budget shows all that is used, and never more than its limit."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.admin.meters import Meter
from conversations.models import Budget

amounts = st.decimals(0, 10_000, places=6, allow_nan=False)


def meter(limit: str | Decimal, spent: str | Decimal, held: str | Decimal = "0") -> Meter:
    budget = Budget(limit=Decimal(limit), held=Decimal(held))
    budget.spent_now = Decimal(spent)  # type: ignore[attr-defined]
    return Meter(budget)


SHOWN = [
    (("100", "0"), (0.0, 0.0, False, "0 % of $100.00")),
    (("100", "25.5", "10"), (25.5, 10.0, False, "36 % of $100.00")),
    (("3", "1", "1"), (33.3, 33.3, False, "67 % of $3.00")),
    (("100", "90", "20"), (90.0, 10.0, True, "110 % of $100.00")),
    (("100", "100"), (100.0, 0.0, True, "100 % of $100.00")),
    (("100", "99.99", "0.01"), (100.0, 0.0, True, "100 % of $100.00")),
    (("100", "150", "20"), (100.0, 0.0, True, "170 % of $100.00")),
    (("100", "-5", "1"), (0.0, 1.0, False, "-4 % of $100.00")),
    (("0", "0"), (100.0, 0.0, True, "all of $0.00")),
    (("12345.678", "0"), (0.0, 0.0, False, "0 % of $12,345.68")),
]


@pytest.mark.parametrize(("amounts", "shown"), SHOWN, ids=str)
def test_a_bar(amounts: tuple[str, ...], shown: tuple[float, float, bool, str]) -> None:
    found = meter(*amounts)
    assert (found.spent, found.held, found.full, found.words) == shown


def test_its_title_has_every_digit() -> None:
    assert meter("1", "0.123456789012", "0.000001").title == "0.123456789012 USD spent, 0.000001 USD held"


@given(amounts, amounts, amounts)
def test_the_two_parts_are_never_longer_than_the_bar(limit: Decimal, spent: Decimal, held: Decimal) -> None:
    found = meter(limit, spent, held)
    assert 0 <= found.spent <= 100
    assert 0 <= found.held <= 100
    assert found.spent + found.held <= 100.001
    assert found.full == (spent + held >= limit)
