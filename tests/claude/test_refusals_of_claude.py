"""Errors of Claude's API become a status, a message and a `Retry-After` for the client."""

from __future__ import annotations

import time
from email.utils import formatdate
from typing import Any

import anthropic
import httpx2
import pytest

from conversations.claude import error_mapping
from conversations.errors import ClaudeError, RateLimited, StreamError, TimedOut, status_of

REQUEST = httpx2.Request("POST", "https://api.example.com/v1/messages")


def translated(status: int, kind: str | None = None, **headers: str) -> ClaudeError:
    body: Any = {"type": "error", "error": {"type": kind, "message": "Because"}} if kind else None
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    response = httpx2.Response(status, request=REQUEST, headers=named)
    found = error_mapping.translate(anthropic.APIStatusError("text for the log", response=response, body=body))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("status", "kind", "ours"),
    [
        (400, "invalid_request_error", 400),
        (401, "authentication_error", 502),
        (402, "billing_error", 502),
        (403, "permission_error", 502),
        (404, "not_found_error", 404),
        (408, "timeout_error", 504),
        (409, "conflict_error", 502),
        (413, "request_too_large", 413),
        (429, "rate_limit_error", 503),
        (500, "api_error", 502),
        (503, "overloaded_error", 503),
        (504, "timeout_error", 504),
        (529, "overloaded_error", 503),
        (418, "api_error", 502),
    ],
)
def test_a_status_tells_the_type_where_the_body_does_not(status: int, kind: str, ours: int) -> None:
    """An edge server in front of the API may answer with an HTML page (claude-api.md 5)."""
    error = translated(status)
    assert (error.type, error.status, error.upstream_status, error.upstream_type) == (kind, ours, status, None)
    said = translated(status, kind)
    assert (said.type, said.status, said.upstream_type) == (kind, ours, kind)


def test_the_type_in_the_body_goes_before_the_status() -> None:
    error = translated(400, "overloaded_error")
    assert (error.type, error.status, error.upstream_status) == ("overloaded_error", 503, 400)


@pytest.mark.parametrize(
    ("status", "said", "retryable"),
    [
        *((status, None, False) for status in (400, 401, 403, 404, 413, 422, 499)),
        *((status, None, True) for status in (408, 409, 429, 500, 502, 503, 529)),
        (400, "true", True),
        (529, "false", False),
        (400, "perhaps", False),
        (529, "perhaps", True),
    ],
)
def test_whether_to_try_again_is_the_servers_word_else_the_status_tells(
    status: int, said: str | None, retryable: bool
) -> None:
    headers = {"x_should_retry": said} if said else {}
    assert translated(status, **headers).retryable is retryable


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry_after": "7"}, 7),
        ({"retry_after": "0.5"}, 0.5),
        ({"retry_after_ms": "1500"}, 1.5),
        ({"retry_after_ms": "1500", "retry_after": "7"}, 1.5),
        ({"retry_after_ms": "soon", "retry_after": "7"}, 7),
        *(({"retry_after": value}, None) for value in ("0", "-1", "inf", "nan", "soon", "", "1e999")),
        ({"retry_after": "Sun, 06 Nov 1994 08:49:37 GMT"}, None),
        ({"retry_after": "Fri, 31 Dec 99999 23:59:59 GMT"}, None),
        ({"retry_after": "Fri, 31 Dec 9223372036854775808 23:59:59 GMT"}, None),
    ],
)
def test_when_to_ask_again_is_read(headers: dict[str, str], seconds: float | None) -> None:
    assert translated(529, **headers).retry_after == (None if seconds is None else pytest.approx(seconds))


def test_when_to_ask_again_may_be_a_date() -> None:
    found = translated(529, retry_after=formatdate(time.time() + 600, usegmt=True)).retry_after
    assert found is not None
    assert 500 < found <= 600


def test_a_cut_inside_of_a_character_is_a_cut() -> None:
    error = error_mapping.translate(UnicodeDecodeError("utf-8", b"\xf0", 0, 1, "unexpected end"), streaming=True)
    assert type(error).__name__ == "StreamCut"


@pytest.mark.parametrize("status", [401, 402, 403])
def test_whose_key_it_was_is_told_in_our_words(status: int) -> None:
    assert translated(status, "authentication_error").message == error_mapping.CREDENTIALS


@pytest.mark.parametrize(
    ("error", "kept"),
    [
        (ClaudeError("No", type="api_error"), {"type": "api_error", "message": "No"}),
        (
            ClaudeError("Busy", type="overloaded_error", retry_after=1.2),
            {"type": "overloaded_error", "message": "Busy", "retry_after": 2},
        ),
        (TimedOut(), {"type": "timeout_error", "message": "Claude took too long to answer."}),
    ],
)
def test_what_work_keeps_of_an_error_tells_a_later_waiter_the_same(error: ClaudeError, kept: Any) -> None:
    assert error.kept() == kept
    again = ClaudeError.of_kept(kept, turn="t")
    assert (again.type, again.message, again.status) == (error.type, error.message, status_of(error.type))
    assert again.retry_after == kept.get("retry_after")
    assert again.payload("r") == {
        "type": "error",
        "error": {"type": error.type, "message": error.message, "details": {"turn": "t"}},
        "request_id": "r",
    }


def test_an_error_has_nothing_in_it_that_is_not_known() -> None:
    assert RateLimited("Slow").payload() == {"type": "error", "error": {"type": "rate_limit_error", "message": "Slow"}}


def test_an_error_of_a_stream_has_the_type_and_the_status_that_it_is_given() -> None:
    error = StreamError("x", type="overloaded_error", status=503, upstream_status=200)
    assert (error.type, error.status, error.retryable) == ("overloaded_error", 503, True)
    assert (StreamError().type, StreamError().status) == ("api_error", 502)
