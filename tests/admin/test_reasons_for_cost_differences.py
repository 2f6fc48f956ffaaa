"""A difference in cost is split into its reasons, which add up to it exactly."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.admin.review.effects import Effects, effects
from conversations.admin.review.totals import Sums

MODELS = ("claude-opus-5-5", "claude-haiku-5-5", "local")
costs = st.decimals(-10, 10_000, places=12, allow_nan=False)
cells = st.builds(Sums, requests=st.integers(-3, 500), input_tokens=st.integers(-10, 10**9), cost=costs)
periods = st.dictionaries(st.sampled_from(MODELS), cells)


def sums(requests: int, tokens: int, cost: str) -> Sums:
    return Sums(requests=requests, input_tokens=tokens, cost=Decimal(cost))


def why(found: Effects) -> tuple[Decimal, ...]:
    return (found.requests, found.models, found.tokens, found.prices)


@given(before=periods, now=periods)
def test_the_reasons_add_up_to_the_difference(before: dict[str, Sums], now: dict[str, Sums]) -> None:
    difference = sum((each.cost for each in now.values()), Decimal(0)) - sum(
        (each.cost for each in before.values()), Decimal(0)
    )
    assert sum(map(Fraction, why(effects(before, now)))) == Fraction(difference)


@given(before=st.dictionaries(st.sampled_from(MODELS), cells.filter(lambda cell: cell.requests > 0)))
def test_where_nothing_changed_there_is_no_reason(before: dict[str, Sums]) -> None:
    assert not any(abs(part) > Decimal("1e-9") for part in why(effects(before, before)))


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        ({"a": sums(10, 100, "10")}, {"a": sums(30, 300, "30")}, [("more requests", 20)]),
        ({"a": sums(10, 100, "10")}, {"a": sums(5, 50, "5")}, [("fewer requests", -5)]),
        ({"a": sums(10, 100, "10")}, {"a": sums(10, 300, "30")}, [("more tokens a request", 20)]),
        ({"a": sums(10, 100, "10")}, {"a": sums(10, 100, "5")}, [("a lower cost per token", -5)]),
        ({"a": sums(10, 100, "10")}, {"b": sums(10, 400, "40")}, [("dearer models", 30)]),
        (
            {"a": sums(8, 80, "8"), "b": sums(2, 80, "8")},
            {"a": sums(2, 20, "2"), "b": sums(8, 320, "32")},
            [("dearer models", 18)],
        ),
        ({}, {"a": sums(1, 10, "4")}, [("more requests", 4)]),
        ({"a": sums(1, 10, "4")}, {}, [("fewer requests", -4)]),
        ({}, {}, []),
        (
            {"a": sums(10, 100, "10")},
            {"a": sums(20, 600, "60")},
            [("more tokens a request", 40), ("more requests", 10)],
        ),
    ],
)
def test_each_reason_is_told_where_it_is_one(
    before: dict[str, Sums], now: dict[str, Sums], told: list[tuple[str, int]]
) -> None:
    assert [(words, int(part)) for words, part in effects(before, now).told] == told


def test_reasons_that_hardly_matter_are_not_told() -> None:
    found = Effects(Decimal(10), Decimal("0.5"), Decimal(-2), Decimal(0))
    assert [words for words, _ in found.told] == ["more requests", "fewer tokens a request"]
