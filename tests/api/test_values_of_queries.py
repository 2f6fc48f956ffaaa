"""Query parameters are accepted in their one documented form; everything else is refused with an error."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.serializers import ValidationError

from conversations.api.queries import (
    ConversationsQuery,
    EventsQuery,
    PageQuery,
    PathQuery,
    PeriodQuery,
    Query,
    RecordsQuery,
    SumsQuery,
    WaitQuery,
)


def read(query: type[Query], text: str) -> dict[str, Any]:
    return query.read(QueryDict(text))


def complaints(query: type[Query], text: str) -> dict[str, Any]:
    with pytest.raises(ValidationError) as refused:
        read(query, text)
    assert isinstance(refused.value.detail, dict)
    return refused.value.detail


@pytest.mark.parametrize(
    ("word", "flag"),
    [("true", True), ("True", True), ("TRUE", True), ("1", True), ("false", False), ("FALSE", False), ("0", False)],
)
def test_a_flag_is_true_or_false(word: str, flag: bool) -> None:
    assert read(WaitQuery, f"wait={word}") == {"wait": flag}


@pytest.mark.parametrize("word", ["yes", "no", "on", "t", "2", "-1", "null", " true", "true,false"])
def test_a_flag_is_no_other_word(word: str) -> None:
    assert complaints(WaitQuery, f"wait={word}") == {"wait": ["Must be true or false."]}


@pytest.mark.parametrize(
    ("query", "text", "expected"),
    [
        (WaitQuery, "", {"wait": False}),
        (WaitQuery, "wait=", {"wait": False}),
        (PageQuery, "", {"page_size": 50}),
        (PageQuery, "page_size=&cursor=", {"page_size": 50}),
        (EventsQuery, "", {}),
        (PathQuery, "last=1", {"page_size": 50, "last": True}),
        (ConversationsQuery, "", {"page_size": 50, "shared": False}),
        (SumsQuery, "", {"page_size": 50}),
    ],
)
def test_what_is_empty_counts_as_not_given(query: type[Query], text: str, expected: dict[str, Any]) -> None:
    assert read(query, text) == expected


@pytest.mark.parametrize(("digits", "number"), [("1", 1), ("200", 200), ("007", 7)])
def test_a_size_is_a_number_of_digits(digits: str, number: int) -> None:
    assert read(PageQuery, f"page_size={digits}")["page_size"] == number


@pytest.mark.parametrize("digits", ["0", "201", "-1", "+5", "5.0", "1e2", "0x10", "٣", "1_000", " 5", "5\n", "9" * 19])
def test_a_size_is_no_other_number(digits: str) -> None:
    given = QueryDict(mutable=True)
    given["page_size"] = digits
    with pytest.raises(ValidationError) as refused:
        PageQuery.read(given)
    assert list(refused.value.detail) == ["page_size"]


@given(st.integers(0, 10**18 - 1))
def test_any_position_of_a_transcript_can_be_asked_for(position: int) -> None:
    assert read(EventsQuery, f"after={position}") == {"after": position}


def test_a_position_is_not_below_zero() -> None:
    assert list(complaints(EventsQuery, "after=-1")) == ["after"]


DAY, NEXT = datetime(2026, 2, 28, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "begins", "ends"),
    [
        ("2026-02-28", DAY, NEXT),
        ("2026-02-28T00:00:00Z", DAY, DAY),
        ("2026-02-28T00:00", DAY, DAY),
        ("2026-02-28T01:30:00%2B01:30", DAY, DAY),
        ("2026-02-27T22:00:00-02:00", DAY, DAY),
        ("2026-02-28 00:00:00", DAY, DAY),
        ("0001-01-01", datetime(1, 1, 1, tzinfo=UTC), datetime(1, 1, 2, tzinfo=UTC)),
        ("9999-12-30", datetime(9999, 12, 30, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)),
    ],
)
def test_a_day_is_included_and_a_time_is_not(text: str, begins: datetime, ends: datetime) -> None:
    found = read(PeriodQuery, f"from={text}&to={text}")
    assert found == {"from": begins, "to": ends}
    assert found["from"].tzinfo is UTC


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        *(
            ("from", text, "Must be a date or a time")
            for text in ("2026-02-29", "28.2.2026", "now", "2026-02-28T25:00")
        ),
        ("to", "9999-12-31", "Must be within the years 1 to 9999."),
        ("from", "0001-01-01T00:00%2B01:00", "Must be within the years 1 to 9999."),
        ("to", "9999-12-31T23:59-00:01", "Must be within the years 1 to 9999."),
    ],
)
def test_what_is_no_time_is_told_with_an_example(name: str, text: str, complaint: str) -> None:
    [found] = complaints(PeriodQuery, f"{name}={text}")[name]
    assert str(found).startswith(complaint)


@pytest.mark.parametrize(
    ("text", "groups"),
    [("day", ["day"]), ("model,day", ["model", "day"]), ("day,day,", ["day"]), (",tag", ["tag"]), (",", [])],
)
def test_groups_are_words_in_their_order_each_once(text: str, groups: list[str]) -> None:
    assert read(SumsQuery, f"group_by={text}")["group_by"] == groups


@pytest.mark.parametrize("text", ["week", "day,week", "Day", "day model", "day, model"])
def test_groups_that_are_not_there_are_told_which_are(text: str) -> None:
    [found] = complaints(SumsQuery, f"group_by={text}")["group_by"]
    assert found == "Must be any of day, model, conversation, tag, separated by commas."


@pytest.mark.parametrize("text", ["wait=true&wait=true", "wait=true&wait=false", "wait=&wait="])
def test_what_is_given_twice_is_refused(text: str) -> None:
    assert complaints(WaitQuery, text) == {"wait": "Must be given once."}


@pytest.mark.parametrize("text", ["surprise=1", "surprise=", "Wait=true", "wait.=true"])
def test_an_unknown_name_is_told_what_is_taken(text: str) -> None:
    [found] = complaints(WaitQuery, text).values()
    assert str(found) == "Unknown field; allowed fields: wait."
    [found] = complaints(Query, text).values()
    assert str(found) == "Unknown field; allowed fields: none."


@pytest.mark.parametrize("ordering", ["title", "-title", "created_at", "-created_at", "updated_at", "-updated_at"])
def test_a_list_is_ordered_either_way(ordering: str) -> None:
    assert read(ConversationsQuery, f"ordering={ordering}")["ordering"] == ordering


def test_several_keys_of_metadata_are_one_value() -> None:
    found = read(ConversationsQuery, "metadata.team=a&metadata.x.y=&q=z")
    assert found == {"metadata": {"team": "a", "x.y": ""}, "q": "z", "page_size": 50, "shared": False}


@pytest.mark.parametrize(
    "text",
    ["metadata.=x", "metadata.a=1&metadata.a=2", "metadata.a%00=x", "metadata.a=x%00", "metadata." + "k" * 500 + "=x"],
    ids=["no key", "a key twice", "a key with NUL", "a value with NUL", "a key too long"],
)
def test_a_key_of_metadata_is_refused_by_its_name(text: str) -> None:
    [name] = complaints(ConversationsQuery, text)
    assert name.startswith("metadata.")
    assert len(name) <= 500


@pytest.mark.parametrize(("length", "taken"), [(500, True), (501, False)])
def test_a_search_and_a_value_of_metadata_have_at_most_500_characters(length: int, taken: bool) -> None:
    for name in ("q", "metadata.a"):
        text = f"{name}={'x' * length}"
        if taken:
            assert read(ConversationsQuery, text)
        else:
            assert list(complaints(ConversationsQuery, text)) == [name]


@pytest.mark.parametrize(("name", "value"), [("purpose", "fun"), ("source", "x"), ("turn", "x"), ("model", "m" * 201)])
def test_a_filter_of_records_is_one_of_its_kind(name: str, value: str) -> None:
    assert list(complaints(RecordsQuery, f"{name}={value}")) == [name]


def test_all_complaints_are_told_at_once() -> None:
    assert list(complaints(RecordsQuery, "turn=x&page_size=0&from=y")) == ["from", "page_size", "turn"]
