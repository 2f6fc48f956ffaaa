"""The items of two lists are paired by what they have in common; position decides between equals only."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extraction.evaluation import aligning
from extraction.evaluation.aligning import Effort, aligned
from extraction.evaluation.comparing import Match, compared

items = st.fixed_dictionaries(
    {"sku": st.sampled_from(["tea", "coffee", "milk"]), "n": st.integers(0, 3)}, optional={"note": st.just("x")}
)
lists = st.lists(items, max_size=5)

PAIRS: dict[str, tuple[list[Any], list[Any], list[tuple[int | None, int | None]]]] = {
    "equals by their places": ([1, 1], [1, 1], [(0, 0), (1, 1)]),
    "equals that mean the same": ([{"n": 1000}], [{"n": "x"}, {"n": "1,000.0"}], [(0, 1), (None, 0)]),
    "the alike one, not the one at its place": (
        [{"sku": "A1", "n": 5}, {"sku": "B2", "n": 6}],
        [{"sku": "B2", "n": 7}, {"sku": "A1", "n": 8}],
        [(0, 1), (1, 0)],
    ),
    "of two that are as alike, the nearer one": (
        ["other", {"a": 1, "b": 2}],
        [{"a": 1, "b": 8}, {"a": 1, "b": 9}],
        [(0, None), (1, 1), (None, 0)],
    ),
    "by words that are nearly the same": (
        ["Green tea, loose", "Black coffee"],
        ["black coffe", "green tea loose"],
        [(0, 1), (1, 0)],
    ),
    "whatever their letter case": (
        ["Green Tea, loose"],
        ["Grey sea, lost", "GREEN TEA, LOOSES"],
        [(0, 1), (None, 0)],
    ),
    "whatever the order of their fields": (
        [{"a": 1, "b": 2}],
        [{"b": 3, "a": 1}, {"b": 2, "a": 1}],
        [(0, 1), (None, 0)],
    ),
    "more that is the same, rather than less": (
        [{"a": 1, "b": 2, "c": 3}],
        [{"a": 1, "b": 9, "c": 9}, {"a": 1, "b": 2, "c": 9}],
        [(0, 1), (None, 0)],
    ),
    "fields that only one of them has count against it": (
        [{"a": 1, "b": 2}],
        [{"a": 1, "b": 8, "c": 3, "d": 4}, {"a": 1, "b": 8}],
        [(0, 1), (None, 0)],
    ),
    "a value that is the same counts more than one that is alike": (
        [{"name": "green tea"}],
        [{"name": "green teas"}, {"name": "GREEN TEA"}],
        [(0, 1), (None, 0)],
    ),
    "what is inside": ([{"a": {"b": [1, 2]}}], [{"a": {"b": [7, 8]}}, {"a": {"b": [1, 9]}}], [(0, 1), (None, 0)]),
    "nothing in common": ([{"a": 1}], [{"a": 2}], [(0, None), (None, 0)]),
    "words with nothing in common": (["tea"], ["xyz"], [(0, None), (None, 0)]),
    "empty items": ([{}, None], [[], {}], [(0, 0), (1, 1)]),
    "nothing on one side": ([1, 2], [], [(0, None), (1, None)]),
    "nothing on the other": ([], [1, 2], [(None, 0), (None, 1)]),
    "nulls do not make items alike": ([{"a": None, "b": 1}], [{"a": None, "b": 2}], [(0, None), (None, 0)]),
}


@pytest.mark.parametrize("name", PAIRS)
def test_items_are_paired_by(name: str) -> None:
    expected, actual, pairs = PAIRS[name]
    assert aligned(expected, actual) == pairs


@given(lists, lists)
def test_what_one_list_says_of_the_other_the_other_says_of_it(ours: list[Any], theirs: list[Any]) -> None:
    """Pairing is symmetric, and a value that is in both lists once is paired with itself."""
    pairs, back = aligned(ours, theirs), aligned(theirs, ours)
    assert sum(None not in pair for pair in pairs) == sum(None not in pair for pair in back)
    for left, right in pairs:
        if left is not None and ours.count(ours[left]) == theirs.count(ours[left]) == 1:
            assert right == theirs.index(ours[left])


@given(lists)
def test_a_list_is_aligned_with_itself_place_by_place(some: list[Any]) -> None:
    assert aligned(some, some) == [(at, at) for at in range(len(some))]


@given(lists, lists)
def test_expected_items_come_in_their_order_and_then_the_extra_ones(ours: list[Any], theirs: list[Any]) -> None:
    pairs = aligned(ours, theirs)
    assert [left for left, _ in pairs] == [*range(len(ours)), *[None] * (len(pairs) - len(ours))]
    extra = [right for left, right in pairs if left is None and right is not None]
    assert extra == sorted(extra)


def test_lists_that_are_too_long_for_the_best_assignment_are_aligned_by_their_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Equal items are still paired wherever they are."""
    ours: list[Any] = [{"n": 1, "x": 1}, {"n": 2, "x": 2}, "same"]
    theirs: list[Any] = ["same", {"n": 2, "x": 8}, {"n": 1, "x": 9}, "more"]
    assert aligned(ours, theirs) == [(0, 2), (1, 1), (2, 0), (None, 3)]
    monkeypatch.setattr(aligning, "MOST_PAIRS", 6)  # two times three items are left
    assert aligned(ours, theirs) == [(0, 2), (1, 1), (2, 0), (None, 3)]
    monkeypatch.setattr(aligning, "MOST_PAIRS", 5)
    assert aligned(ours, theirs) == [(0, 1), (1, 2), (2, 0), (None, 3)]


def test_the_effort_is_shared_by_all_lists_that_are_compared_together() -> None:
    """Lists that the remaining effort does not cover are aligned by order."""
    ours: list[Any] = [{"n": 1, "x": 1}, {"n": 2, "x": 2}]
    theirs: list[Any] = [{"n": 2, "x": 8}, {"n": 1, "x": 9}]
    crossed, straight = [(0, 1), (1, 0)], [(0, 0), (1, 1)]
    effort = Effort(values=4 * 3 + 4 * 3)  # four pairs: two comparisons of values each, and one for the pair
    assert [aligned(ours, theirs, effort) for _ in range(3)] == [crossed, crossed, straight]
    comparisons = compared({"a": ours, "b": ours}, {"a": theirs, "b": theirs}, Effort(values=12))
    found = [each.path for each in comparisons if each.match is Match.EXACT]
    assert found == ["/a/1/n", "/a/0/n"]


def test_of_a_large_item_the_first_values_tell_which_it_is() -> None:
    """The first fifty values are compared, in their order; later ones are ignored."""
    many: Any = {f"f{number:02}": number for number in range(60)}
    others: list[Any] = [{**many, "f49": -1}, {**many, "f59": -1}]
    assert aligned([many], others) == [(0, 1), (None, 0)]
    assert aligned([[*range(60)]], [[*range(49), -1, *range(50, 60)], [*range(59), -1]]) == [(0, 1), (None, 0)]
