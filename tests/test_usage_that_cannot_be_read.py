"""Usage that Claude omits, or sends in another form than numbers, is booked as an estimate, never as zero."""

from __future__ import annotations

from typing import Any

import pytest

from conversations.claude import pricing
from conversations.models import Usage
from tests import scripted
from tests.clients import Api
from tests.scripted import end, text, wire


def booked(api: Api, first: Any, last: Any) -> Usage:
    prompt = scripted.prompt(wire(scripted.start(usage=first), *text("Hello " * 20), *end(usage=last)))
    return Usage.objects.get(turn=api.ask(prompt)["id"])


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ({"input_tokens": 12, "output_tokens": 1}, {"output_tokens": 50}),
        ({"input_tokens": 12.0, "output_tokens": 1}, {"output_tokens": 50.0}),
        ({"input_tokens": "12", "output_tokens": None}, {"output_tokens": "50"}),
        (None, {"input_tokens": 12, "output_tokens": 50}),
        ({"input_tokens": 12, "cache_read_input_tokens": None, "odd_tokens": 0}, {"output_tokens": 50}),
    ],
)
def test_whole_numbers_are_read_however_they_are_written(api: Api, first: Any, last: Any) -> None:
    row = booked(api, first, last)
    assert (row.source, row.input_tokens, row.output_tokens) == ("provider", 12, 50)


@pytest.mark.parametrize("input_tokens", [None, 12.5, "many", -12, True, [12], {"n": 12}, 10**12, "1e3"])
def test_an_input_that_cannot_be_read_is_estimated_from_the_request(api: Api, input_tokens: Any) -> None:
    row = booked(api, {"input_tokens": input_tokens}, {"output_tokens": 50})
    assert (row.source, row.output_tokens) == ("estimate", 50)
    assert 50 < row.input_tokens < 1000  # the prompt has some hundred characters


@pytest.mark.parametrize("output_tokens", [None, 12.5, "many", -12, False, [12]])
def test_an_output_that_cannot_be_read_is_estimated_from_the_answer(api: Api, output_tokens: Any) -> None:
    row = booked(api, {"input_tokens": 12}, {"output_tokens": output_tokens})
    assert (row.source, row.input_tokens) == ("estimate", 12)
    assert row.output_tokens == 35  # 120 characters


@pytest.mark.parametrize(
    "usage",
    [
        {"cache_read_input_tokens": "much"},
        {"cache_creation": [1]},
        {"cache_creation": {"ephemeral_1h_input_tokens": 0.5}},
        {"server_tool_use": {"web_search_requests": -1}},
    ],
)
def test_another_count_that_cannot_be_read_is_said_to_be_an_estimate(api: Api, usage: Any) -> None:
    row = booked(api, {"input_tokens": 12, **usage}, {"output_tokens": 50})
    assert (row.source, row.input_tokens, row.output_tokens) == ("estimate", 12, 50)


def test_without_any_usage_all_is_estimated(api: Api) -> None:
    row = booked(api, None, {})
    assert row.source == "estimate"
    assert row.input_tokens > 50
    assert row.output_tokens == 35


@pytest.mark.parametrize(("value", "number"), [(3, 3), (3.0, 3), ("3", 3), ("٣", None), ("", None), (1e400, None)])
def test_what_a_number_is(value: Any, number: int | None) -> None:
    assert pricing.as_count(value) == number
