"""An answer that was cut by max_tokens is continued and joined: every item of a list once, in order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import LazySettings
from hypothesis import given
from hypothesis import strategies as st

from conversations.models import Budget, Usage
from extraction import extract
from extraction.extracting.joining import joined
from tests.clients import Api
from tests.extraction.upstream import Body, Said, text_of, upstream

ROWS = [{"number": number, "name": f"part {number:04}"} for number in range(1, 3001)]
TABLE = "\n".join(f"{row['number']}. {row['name']}, of which there is one in each box" for row in ROWS)
AT_ONCE = 200  # rows of an answer
SCHEMA = {
    "type": "object",
    "properties": {
        "rows": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"number": {"type": "integer"}, "name": {"type": "string"}},
                "required": ["number", "name"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["rows"],
    "additionalProperties": False,
}


def cut(body: Body) -> Said:
    """Answer with the next `AT_ONCE` rows after those in the request's assistant messages."""
    said = "".join(text_of(each) for each in body["messages"] if each["role"] == "assistant")
    written = ", ".join(json.dumps(row) for row in ROWS[said.count("}") :][:AT_ONCE])
    is_last = said.count("}") + AT_ONCE >= len(ROWS)
    text = ('{"rows": [' if not said else ", ") + written + ("]}" if is_last else "")
    return Said(text, "end_turn" if is_last else "max_tokens")


@pytest.fixture
def cutting(settings: LazySettings) -> Iterator[None]:
    with upstream(cut) as url:
        settings.ANTHROPIC_BASE_URL = url
        yield


def test_three_thousand_rows_come_out_of_answers_of_two_hundred(api: Api, cutting: None) -> None:
    Budget.objects.create(user=api.user, limit=100)
    found = extract(TABLE, SCHEMA, user=api.user)
    assert (found.extraction.status, found.extraction.problems) == ("succeeded", [])
    assert found.data == {"rows": ROWS}
    [attempt] = found.extraction.attempts.all()
    assert len(attempt.ledger_rows) == len(ROWS) // AT_ONCE == Usage.objects.filter(user=api.user).count()
    assert Budget.objects.get(user=api.user).held == 0
    places = {each["path"]: each for each in found.extraction.evidence}
    assert all(places[f"/rows/{index}/name"]["status"] == "exact" for index in range(len(ROWS)))
    starts = [places[f"/rows/{index}/name"]["start"] for index in range(len(ROWS))]
    assert starts == sorted(starts)


VALUES = st.lists(
    st.fixed_dictionaries({"n": st.integers(), "s": st.text(st.characters(exclude_categories=["Cs"]), max_size=8)}),
    min_size=2,
    max_size=8,
    unique_by=lambda row: row["n"],
)


@given(VALUES, st.data())
def test_it_is_whole_wherever_it_was_cut(rows: list[Any], data: st.DataObject) -> None:
    whole = json.dumps({"rows": rows}, ensure_ascii=False)
    cuts = sorted(data.draw(st.lists(st.integers(1, len(whole) - 1), min_size=1, max_size=3, unique=True)))
    pieces = [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    found = joined(pieces)
    assert (json.loads(found.text), found.complete) == ({"rows": rows}, True)


def test_a_bracket_alone_is_not_the_beginning_said_again() -> None:
    assert joined(['{"rows": [', "{", '"n": 0}]}']).text == '{"rows": [{"n": 0}]}'


@given(VALUES, st.data())
def test_it_is_whole_where_claude_opens_the_list_anew(rows: list[Any], data: st.DataObject) -> None:
    """The continuation may be a new list, with or without a code fence, and repeats the row that was cut."""
    at = data.draw(st.integers(1, len(rows) - 1))
    begun = json.dumps(rows[at], ensure_ascii=False)
    cut = data.draw(st.sampled_from(["", ",", ", ", f", {begun[: len(begun) // 2]}"]))
    first = json.dumps({"rows": rows[:at]}, ensure_ascii=False).removesuffix("]}") + cut
    rest = json.dumps({"rows": rows[at:]}, ensure_ascii=False)
    answer = data.draw(st.sampled_from([rest, f"```json\n{rest}\n```", rest.replace("{", "{\n", 1)]))
    assert json.loads(joined([first, answer]).text) == {"rows": rows}


def test_what_is_said_again_is_not_doubled() -> None:
    whole = json.dumps({"rows": ROWS[:20]})
    for cut in range(60, len(whole) - 1, 7):
        assert json.loads(joined([whole[:cut], whole[cut - 30 :]]).text) == {"rows": ROWS[:20]}


ALIKE = [{"unit": "kg", "amount": 1, "name": "flour"}] * 4 + [{"unit": "g", "amount": 5, "name": "salt"}] * 3
LISTS: dict[str, list[Any]] = {
    "of objects": ALIKE,
    "of strings": [row["name"] for row in ALIKE],
    "of lists": [[*row.values()] for row in ALIKE],
}


@pytest.mark.parametrize("kind", LISTS)
@pytest.mark.parametrize("indent", [None, 2])
def test_items_that_are_alike_are_all_kept_wherever_it_was_cut(kind: str, indent: int | None) -> None:
    data = {"title": "Dough", "parts": [{"rows": LISTS[kind]}, {"rows": LISTS[kind][::-1]}]}
    whole = json.dumps(data, indent=indent)
    for cut in range(1, len(whole) - 1):
        assert json.loads(joined([whole[:cut], whole[cut:]]).text) == data, whole[:cut]


def test_an_answer_that_begins_again_and_says_no_more_has_not_grown() -> None:
    assert not joined(['{"name": "Ja', '{"name": "Ja']).grown
    assert not joined(['{"name": "Ja', ""]).grown
    assert joined(['{"name": "Ja', '{"name": "Jane"}']) == joined(['{"name": "Jane"}'])
