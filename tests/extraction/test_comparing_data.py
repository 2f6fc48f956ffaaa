"""Data is compared with expected data: values of equal meaning match, and items of lists are paired by content."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extraction.evaluation.aligning import aligned
from extraction.evaluation.comparing import Match, compared
from extraction.evaluation.scoring import Scores

SAME = [
    (1234.5, "1,234.50"),
    (1234.5, "1.234,50 €"),
    (Decimal("19.90"), 19.9),
    ("$ 12", 12),
    ("2026-03-04", "4 March 2026"),
    ("2026-03-04", "04.03.2026"),
    ("2026-03-04", "March 4th, 2026"),
    ("2026-03-04T00:00:00", "2026-03-04"),
    ("  ACME\tGmbH ", "acme gmbh"),
    ("ﬁne", "fine"),
    (True, "true"),
    (-3, "-3"),
]
DIFFERENT = [(1, True), ("12", "21"), ("2026-03-04", "2026-03-05"), (1000, "1.5"), ("a", "b"), ({"a": 1}, [1])]


@pytest.mark.parametrize(("expected", "actual"), SAME)
def test_what_means_the_same_matches_in_both_directions(expected: Any, actual: Any) -> None:
    assert [each.match for each in compared({"v": expected}, {"v": actual})] in (["normalised"], ["exact"])
    assert [each.match for each in compared({"v": actual}, {"v": expected})] in (["normalised"], ["exact"])


@pytest.mark.parametrize(("expected", "actual"), DIFFERENT)
def test_what_differs_does_not_match(expected: Any, actual: Any) -> None:
    assert not {Match.EXACT, Match.NORMALISED} & {each.match for each in compared({"v": expected}, {"v": actual})}


def test_items_of_lists_are_compared_with_those_that_they_stand_for() -> None:
    expected: Any = {"lines": [{"sku": "A1", "price": 10}, {"sku": "B2", "price": 20}, {"sku": "C3", "price": 30}]}
    actual: Any = {"lines": [{"sku": "C3", "price": 31}, {"sku": "a1", "price": "10.00"}, {"sku": "D4", "price": 40}]}
    found = [(each.field, each.path, each.match) for each in compared(expected, actual)]
    assert found == [
        ("/lines/*/sku", "/lines/1/sku", "normalised"),
        ("/lines/*/price", "/lines/1/price", "normalised"),
        ("/lines/*/sku", "/lines/1/sku", "missing"),  # the index is that of the expected list
        ("/lines/*/price", "/lines/1/price", "missing"),
        ("/lines/*/sku", "/lines/0/sku", "exact"),
        ("/lines/*/price", "/lines/0/price", "wrong"),
        ("/lines/*/sku", "/lines/2/sku", "extra"),
        ("/lines/*/price", "/lines/2/price", "extra"),
    ]


def test_null_is_as_good_as_absent() -> None:
    assert compared({"a": None}, {}) == []
    assert [(each.path, each.match) for each in compared({"a": 1, "b": None}, {"b": 2})] == [
        ("/a", "missing"),
        ("/b", "extra"),
    ]


def test_precision_and_recall_are_of_what_was_extracted_and_of_what_was_expected() -> None:
    scores = Scores()
    scores.add(compared({"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 5, "d": 4}))
    total = scores.total.shown()
    assert (total["precision"], total["recall"], total["expected"]) == (0.3333, 0.3333, 3)
    assert scores.fields["/c"].shown()["recall"] == 0.0
    assert scores.fields["/d"].shown()["recall"] is None


@given(st.lists(st.integers(0, 5)), st.lists(st.integers(0, 5)))
def test_every_item_is_paired_once_and_as_many_as_can_are_right(ours: list[int], theirs: list[int]) -> None:
    pairs = aligned(ours, theirs)
    assert sorted(left for left, _ in pairs if left is not None) == list(range(len(ours)))
    assert sorted(right for _, right in pairs if right is not None) == list(range(len(theirs)))
    right = sum(left is not None and at is not None and ours[left] == theirs[at] for left, at in pairs)
    assert right == sum(min(ours.count(each), theirs.count(each)) for each in set(ours))


@given(st.permutations([{"name": f"item {number}", "n": number} for number in range(6)]))
def test_the_order_of_a_list_does_not_matter(shuffled: list[Any]) -> None:
    expected = sorted(shuffled, key=lambda each: int(each["n"]))
    assert {each.match for each in compared(expected, shuffled)} == {Match.EXACT}


def test_long_lists_take_no_long_time() -> None:
    ours: list[Any] = [{"id": f"row {number}", "n": number} for number in range(2000)]
    theirs: list[Any] = [{"id": f"row {number}!", "n": number + 1} for number in range(2000)]
    began = time.process_time()
    assert len(compared(ours, theirs)) == 4_000
    assert time.process_time() - began < 8
