"""The results of a document's parts are merged: in order, without duplicates, with contradictions reported."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from extraction.documents.merging import Found, merge, overlaps
from extraction.documents.splitting import Part, Piece
from extraction.evidence.leaves import leaves

SCALARS = st.one_of(st.none(), st.booleans(), st.integers(0, 3), st.sampled_from(["", "a", "b"]))
DATA = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["x", "y", "z/~"]), inner)),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.sampled_from(["x", "y", "z/~"]), DATA)


def at(path: str, data: Any) -> Any:
    """Return the value at a JSON Pointer."""
    for step in path.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        data = data[int(name) if isinstance(data, list) else name]
    return data


@given(st.lists(OBJECTS, min_size=1, max_size=4))
def test_every_leaf_that_was_kept_is_where_it_is_said_to_be(parts: list[Any]) -> None:
    merged = merge([Found(data) for data in parts])
    for data, moved in zip(parts, merged.moved, strict=True):
        for old, new in moved.items():
            assert at(old, data) == at(new, merged.data)
    gone_to = [new for moved in merged.moved for new in moved.values()]
    assert sorted(gone_to) == sorted(path for path, value in leaves(merged.data) if value != "")


@given(OBJECTS)
def test_one_part_is_the_result(data: Any) -> None:
    merged = merge([Found(data)])
    assert (merged.data, merged.problems) == (data, [])


def table(first: int, last: int, evidence: bool) -> Found:
    """Return rows found in a text with a row every ten characters; each two rows are equal."""
    rows: list[Any] = [{"number": row // 2, "unit": "kg"} for row in range(first, last)]
    places = {f"/rows/{index}/number": (0, 10 * (first + index)) for index in range(last - first)}
    places |= {f"/rows/{index}/unit": (0, 10 * (first + index) + 5) for index in range(last - first)}
    return Found({"rows": rows}, places if evidence else {})


@given(st.lists(st.tuples(st.integers(1, 30), st.integers(0, 5)), min_size=1, max_size=6))
def test_rows_follow_each_other_without_the_repeated_ones(sizes: list[tuple[int, int]]) -> None:
    parts, end = [], 0
    for size, overlap in sizes:
        start = max(end - overlap, 0)
        found = table(start, end + size, evidence=True)
        parts.append(Found(found.data, found.places, {0: 10 * end} if end > start else {}))
        end += size
    assert merge(parts).data == table(0, end, evidence=True).data


@given(st.integers(1, 20), st.integers(1, 5), st.integers(0, 10))
def test_without_evidence_repeated_rows_are_known_by_what_they_say(first: int, overlap: int, more: int) -> None:
    start = max(first - overlap, 0)
    ends = [Found({"rows": list(range(first))}), Found({"rows": list(range(start, first + more))}, {}, {0: 1})]
    assert merge(ends).data == {"rows": list(range(first + more))}


def test_what_is_found_first_stays_and_another_value_is_a_problem() -> None:
    parts: list[Any] = [
        {"a": None, "b": "x", "c": {"d": 1}},
        {"a": 2, "b": "y", "c": {"d": 1, "e": ""}},
        {"c": {"d": 3, "e": "z"}},
    ]
    merged = merge([Found(part) for part in parts])
    assert merged.data == {"a": 2, "b": "x", "c": {"d": 1, "e": "z"}}
    assert merged.problems == [
        {"path": "/b", "message": 'Part 2 has "y"; "x", which was found first, is kept.'},
        {"path": "/c/d", "message": "Part 3 has 3; 1, which was found first, is kept."},
    ]


def test_a_row_that_was_cut_is_completed_by_its_repetition() -> None:
    ends: list[Any] = [
        {"rows": [{"n": 1, "m": 5}, {"n": 2, "m": None}]},
        {"rows": [{"n": 2, "m": 6}, {"n": 3, "m": 7}]},
    ]
    merged = merge([Found(ends[0]), Found(ends[1], {}, {0: 30})])
    assert merged.data == {"rows": [{"n": 1, "m": 5}, {"n": 2, "m": 6}, {"n": 3, "m": 7}]}
    assert merged.moved[1] == {"/rows/0/m": "/rows/1/m", "/rows/1/n": "/rows/2/n", "/rows/1/m": "/rows/2/m"}


def test_equal_rows_are_kept_where_parts_have_nothing_in_common() -> None:
    assert merge([Found([1, 2]), Found([2, 3])]).data == [1, 2, 2, 3]


def test_a_part_tells_what_it_repeats() -> None:
    assert overlaps(Part((Piece(0, 0, 9), Piece(2, 100, 200, overlap=7)))) == {2: 107}
