"""The JSON in an answer is found, wherever Claude put it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.contract.wire import Block
from conversations.exact_json import dumps
from extraction.answers import judged
from extraction.asking import Earlier, Question, Request, request_for
from extraction.extracting.plan import Group
from extraction.schemas.validation import Validator

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
CONTAINERS = st.lists(VALUES, max_size=4) | st.dictionaries(TEXTS, VALUES, max_size=4)
PROSE = st.text(st.characters(categories=["L", "P", "Zs"], exclude_characters="[{`"), max_size=40)


def found(text: str, schema: Any = None) -> Any:
    """Return the data of an answer, as a client whose numbers are floats reads it."""
    judgement = judged(schema or {}, text)
    assert judgement.problems == []
    return json.loads(dumps(judgement.data))


@given(VALUES, st.sampled_from([None, 2]))
def test_it_finds_json_that_stands_alone(value: Any, indent: int | None) -> None:
    assert found(f"\n{json.dumps(value, indent=indent)} ") == value


@given(CONTAINERS, PROSE, PROSE)
def test_it_finds_json_in_the_middle_of_prose(value: Any, before: str, after: str) -> None:
    assert found(f"Here: {before} {json.dumps(value)} {after} there.") == value


@given(VALUES, PROSE, st.sampled_from(["```json\n%s\n```", "```\n%s\n```", "~~~ JSON\r\n%s\r\n~~~", "````\n%s\n````"]))
def test_it_finds_json_in_a_fence(value: Any, before: str, fence: str) -> None:
    assert found(f"So: {before}\n{fence % json.dumps(value)}\nThat is all.") == value


@given(CONTAINERS, st.lists(CONTAINERS, max_size=3))
def test_the_one_that_satisfies_the_schema_is_found_among_others(value: Any, others: list[Any]) -> None:
    schema = {"type": "object", "required": ["the one"]}
    parts = [json.dumps(part) for part in (*others, {"the one": value}, *others)]
    assert found(" and ".join(parts), schema) == {"the one": value}


INTEGER_A = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ('Based on [1]: {"a":1}', {"a": 1}),
        ('As [1] and [2, 3] say, {"a": 1}. Not {"a": 2}.', {"a": 1}),
        ('The set {a, b} gives {"a": 1}.', {"a": 1}),
        ('```json\n{"a": "one"}\n```\nI mean:\n```json\n{"a": 1}\n```', {"a": 1}),
        ('{"a": 2} is wrong, this is right:\n```json\n{"a": 1}\n```', {"a": 1}),
        ('```{"a": 1}```', {"a": 1}),
        ('```json\n{"a": 1}', {"a": 1}),
        ('```json\n{"a": 1, "b": "```"}\n```', {"a": 1, "b": "```"}),
        ('{"a": "one", "b": {"a": 1}} or {"a": 2}', {"a": 2}),
        ('{"a": NaN} or {"a": 1e400} or {"a": 3}', {"a": 3}),
        ('First {"a": "\\ud800", then {"a": "\\ud800"}, then {"a": 4}', {"a": 4}),
    ],
)
def test_the_first_that_satisfies_the_schema_is_taken(text: str, data: Any) -> None:
    assert found(text, INTEGER_A) == data


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ('[1] says {"a": "one"}, not {"a": null}.', {"a": "one"}),
        ('{"a": "one"}', {"a": "one"}),
        ("```json\n[1, 2]\n```\n[3]", [1, 2]),
        ("[1][2]", [1]),
    ],
)
def test_where_none_does_the_largest_is_told_with_its_problems(text: str, data: Any) -> None:
    judgement = judged(INTEGER_A, text)
    assert judgement.data == data
    assert judgement.problems == Validator(INTEGER_A).problems(data) != []


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "No.",
            "{",
            '{"a": ',
            "[1, 2",
            "NaN",
            '{"a": NaN}',
            '{"a": Infinity}',
            "[" * 5000,
            '{"a": 1e400}',
            "-1e400",
        ),
        *("1" + "0" * 400, "1" * 5000, "[" * 900 + "]" * 900, "{'a': 1}", '"\ud83c"'),
    ],
)
def test_what_is_not_json_or_cannot_be_kept_is_said_to_be_so(text: str) -> None:
    judgement = judged({}, text)
    assert judgement.data is None
    assert "JSON" in judgement.problems[0]["message"]


CONTENT: list[Block] = [{"type": "text", "text": "Jane"}]
SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}}
QUESTION = Question("m")


def request(**fields: Any) -> Request:
    group = Group(SCHEMA, {"type": "object"}, leaves=1, lists=False)
    return Request(group, CONTENT, max_tokens=9, **{"native": False, **fields})


def test_a_schema_that_claude_is_held_to_is_not_told_in_words_too() -> None:
    body = request_for(QUESTION, request(native=True))
    assert body["output_config"] == {"format": {"type": "json_schema", "schema": {"type": "object"}}}
    assert json.dumps(SCHEMA) not in body["system"]


def test_another_attempt_says_what_was_wrong_and_leaves_the_last_word_to_claude() -> None:
    earlier = [Earlier("{}", [{"path": "/name", "message": "is missing"}])]
    body: Any = request_for(QUESTION, request(earlier=earlier))
    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "user"]
    assert "/name: is missing" in body["messages"][-1]["content"]
    assert json.dumps(SCHEMA) in body["system"]


def test_an_answer_that_was_cut_goes_on_in_words_whatever_claude_was_held_to() -> None:
    body = request_for(QUESTION, request(native=True, said='{"name": "Ja'))
    assert "output_config" not in body
    assert json.dumps(SCHEMA) in body["system"]
    assert body["messages"][-2]["content"] == [{"type": "text", "text": '{"name": "Ja'}]


AT_LEAST_100 = {"type": "object", "properties": {"a": {"type": "number", "minimum": 100}}}


@pytest.mark.parametrize("schema", [AT_LEAST_100, {**AT_LEAST_100, "type": ["object", "array"]}, {"minProperties": 5}])
def test_what_data_was_asked_for_with_is_never_taken_for_data(schema: Any) -> None:
    """A schema or an example in the answer is no data, even if the actual data is invalid."""
    answer = {"data": {"a": 5}, "evidence": [{"path": "/a", "quote": "5"}]}
    judgement = judged(schema, json.dumps(answer), evidence=True)
    assert judgement.data == {"a": 5}
    assert judgement.problems


def test_a_schema_with_a_field_data_gets_an_answer_without_evidence_as_it_is() -> None:
    schema = {"type": "object", "properties": {"data": {"type": "string"}}, "required": ["data"]}
    judgement = judged(schema, '{"data": "x"}', evidence=True)
    assert (judgement.data, judgement.problems) == ({"data": "x"}, [])
