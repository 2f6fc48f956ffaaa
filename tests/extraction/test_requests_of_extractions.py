"""The request for an extraction: its instructions, its cache markers, and its max_tokens."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.contract.wire import Block
from extraction.asking import (
    LEAST_TOKENS,
    MOST_TOKENS_UNKNOWN,
    THINKING_TOKENS,
    Earlier,
    Question,
    Request,
    request_for,
    tokens_for,
)
from extraction.extracting.plan import Group

SCHEMA: Any = {"type": "object", "properties": {"ü": {"type": "string"}}}
CONTENT: list[Block] = [{"type": "text", "text": "One"}, {"type": "text", "text": "Two"}]
MARKED = {"type": "text", "text": "Two", "cache_control": {"type": "ephemeral"}}
CUT: Any = {"said": '{"a": "'}


def body(question: Question, **fields: Any) -> Any:
    group = Group(SCHEMA, {"type": "object"}, leaves=1, lists=False)
    return request_for(question, Request(group, **{"content": CONTENT, "max_tokens": 9, "native": False, **fields}))


def told(question: Question, **fields: Any) -> list[str]:
    system: str = body(question, **fields)["system"]
    return system.split("\n\n")


def test_a_request_has_its_model_its_length_and_its_content() -> None:
    found = body(Question("m"), native=True)
    assert (found["model"], found["max_tokens"]) == ("m", 9)
    assert found["messages"] == [{"role": "user", "content": CONTENT}]
    assert set(found) == {"model", "max_tokens", "messages", "system", "output_config"}


def test_each_thing_that_is_told_stands_in_its_order() -> None:
    examples: Any = [
        {"content": "Tea", "data": {"ü": "é"}},
        {"content": [{"type": "text", "text": "A"}, {"type": "text", "text": "B"}], "data": None},
    ]
    question = Question("m", evidence=True, instructions="Be exact.", examples=examples, parts=3)
    found = told(question, part=1)
    assert found[0].startswith("Extract what the schema describes")
    assert found[1].endswith("data satisfies this JSON Schema:")
    assert json.loads(found[2]) == SCHEMA
    assert found[3].startswith("evidence is a list of objects")
    assert found[4].startswith("What you are given is part 2 of 3 of something longer.")
    assert found[5] == "Be exact."
    assert found[6:10] == ["Example 1. For this content:", "Tea", "the data is:", '{"ü": "é"}']
    assert found[10:] == ["Example 2. For this content:", "A", "B", "the data is:", "null"]


@pytest.mark.parametrize(
    ("question", "fields", "in_words", "held"),
    [
        (Question("m"), {"native": True}, False, True),
        (Question("m"), {}, True, False),
        (Question("m"), {"native": True, **CUT}, True, False),
        (Question("m", evidence=True), {"native": True}, False, True),
        (Question("m", parts=2), {"native": True}, False, True),
    ],
    ids=str,
)
def test_the_schema_is_told_in_words_where_claude_is_not_held_to_it(
    question: Question, fields: dict[str, Any], in_words: bool, held: bool
) -> None:
    assert ("JSON Schema" in str(told(question, **fields))) == in_words
    assert ("output_config" in body(question, **fields)) == held


def test_of_one_part_nothing_is_said_of_parts() -> None:
    assert "part 1" not in str(told(Question("m")))


def test_fields_that_are_asked_for_by_themselves_come_after_the_content_that_is_the_same_for_all() -> None:
    found = body(Question("m", divided=True))
    first, marked, asked = found["messages"][0]["content"]
    assert (first, marked) == (CONTENT[0], MARKED)
    assert asked["text"].startswith("Of all that is to be extracted, these are the fields to extract now.")
    assert json.loads(asked["text"].partition("\n\n")[2]) == SCHEMA
    assert "JSON Schema" not in found["system"]


def test_content_that_is_sent_again_is_marked_for_the_cache_unless_its_author_did_that() -> None:
    assert body(Question("m"), **CUT)["messages"][0]["content"] == [CONTENT[0], MARKED]
    own: Any = [{"type": "text", "text": "One", "cache_control": {"type": "ephemeral", "ttl": "1h"}}, CONTENT[1]]
    assert body(Question("m"), content=own, **CUT)["messages"][0]["content"] == own
    assert CONTENT[1] == {"type": "text", "text": "Two"}, "the content itself is not changed"


def test_every_earlier_attempt_is_told_with_its_problems_and_then_what_was_cut() -> None:
    earlier = [
        Earlier("{}", [{"path": "/a", "message": "is missing"}, {"path": "", "message": "is wrong"}]),
        Earlier(" \n", []),
    ]
    messages = body(Question("m"), earlier=earlier, **CUT)["messages"]
    assert [each["role"] for each in messages] == ["user", *["assistant", "user"] * 3]
    assert messages[1]["content"] == [{"type": "text", "text": "{}"}]
    assert "\n\n- /a: is missing\n- /: is wrong\n\n" in messages[2]["content"]
    assert messages[3]["content"] == [{"type": "text", "text": "(nothing)"}], "Claude takes no empty text"
    assert messages[5]["content"] == [{"type": "text", "text": '{"a": "'}]
    assert messages[6]["content"].startswith("Your answer was cut. Go on exactly where it stopped")


def group(leaves: int, lists: bool = False) -> Group:
    return Group(SCHEMA, None, leaves=leaves, lists=lists)


@pytest.mark.parametrize(
    ("question", "asked", "fields", "tokens"),
    [
        (Question("m"), group(1), {}, LEAST_TOKENS),
        (Question("m"), group(128), {}, 4096),
        (Question("m"), group(129), {}, 4128),
        (Question("m", evidence=True), group(100), {}, 9600),
        (Question("m"), group(100, True), {"content_tokens": 10_000}, 18_200),
        (Question("m", evidence=True), group(100, True), {"content_tokens": 10_000}, 49_600),
        (Question("m"), group(100), {"content_tokens": 10_000}, LEAST_TOKENS),
        (Question("m"), group(1), {"thinks": True}, LEAST_TOKENS + THINKING_TOKENS),
        (Question("m"), group(1), {"most": 100}, 100),
        (Question("m"), group(1000), {"most": None}, MOST_TOKENS_UNKNOWN),
        (Question("m"), group(1), {"thinks": True, "most": None}, MOST_TOKENS_UNKNOWN),
    ],
    ids=str,
)
def test_an_answer_may_be_as_long_as_its_values_and_lists(
    question: Question, asked: Group, fields: dict[str, Any], tokens: int
) -> None:
    assert tokens_for(question, asked, **{"content_tokens": 0, "most": 1_000_000, **fields}) == tokens


@given(st.integers(1, 10_000), st.integers(0, 10**6), st.integers(1, 128_000), st.booleans(), st.booleans())
def test_it_is_never_longer_than_the_model_writes(
    leaves: int, content: int, most: int, evidence: bool, lists: bool
) -> None:
    question = Question("m", evidence=evidence)
    found = tokens_for(question, group(leaves, lists), content_tokens=content, most=most)
    assert min(LEAST_TOKENS, most) <= found <= most
