"""Requests that Claude did not accept are retried for a bounded time, and a waiting turn costs nothing."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest

from conversations.models import Usage
from conversations.sandbox.server import Sandbox
from tests.clients import Api
from tests.processes import ServerProcess
from tests.waiting import until

LONG = "retry_after=3600"


def attempts(sandbox: Sandbox, word: str) -> int:
    return sum(word in str(request.body) for request in sandbox.requests)


@pytest.mark.parametrize(("error", "kind"), [("429", "rate_limit_error"), ("529", "overloaded_error")])
def test_an_hour_is_not_waited_for(api: Api, sandbox: Sandbox, error: str, kind: str) -> None:
    began, word = time.monotonic(), f"hour-{api.user.pk}"
    content = f"{word} [[sandbox: error={error}; {LONG}]]"
    response = api.post(f"conversations/{api.conversation()}/turns/?wait=true", {"content": content})
    assert time.monotonic() - began < 100
    assert (response.status_code, response.json()["error"]["type"]) == (503, kind)
    assert response.headers["Retry-After"] == "3600"
    assert attempts(sandbox, word) == 1
    turn = api.get(f"turns/{response.json()['error']['details']['turn']}/").json()
    assert (turn["status"], turn["error"]["retry_after"], turn["usage"]["requests"]) == ("failed", 3600, 0)


def test_an_extraction_says_when_to_ask_again(api: Api) -> None:
    asked = {"schema": {"type": "object"}, "content": f"[[sandbox: error=529; {LONG}]]"}
    response = api.post("extraction/extractions/?wait=true", asked)
    assert (response.status_code, response.json()["error"]["type"]) == (503, "overloaded_error")
    assert response.headers["Retry-After"] == "3600"
    extraction = api.get(f"extraction/extractions/{response.json()['error']['details']['extraction']}/").json()
    assert (extraction["status"], extraction["error"]["retry_after"]) == ("failed", 3600)


def test_a_date_is_read_too(api: Api) -> None:
    date = formatdate(time.time() + 7200, usegmt=True).replace(",", "%2C")
    turn = api.ended(api.begin(f"[[sandbox: error=429; retry_after={date.replace('%2C', ',')}]]")["id"])
    assert 7000 < turn["error"]["retry_after"] <= 7200


@pytest.mark.parametrize("said", ["nan", "inf", "-5", "soon", "1e400"])
def test_what_is_no_time_is_not_waited_for(api: Api, said: str) -> None:
    turn = api.ask(f"[[sandbox: error=429; times=1; retry_after={said}]]")
    assert turn["status"] == "completed"


def test_the_bound_is_of_all_waits_together(database: str, sandbox: Sandbox) -> None:
    bound = {"COLLOQUY_RETRY_TIME": "2", "ANTHROPIC_MAX_RETRIES": "9"}
    with ServerProcess("uvicorn", database, sandbox.url, **bound) as server, Api(server.url) as api:
        word = f"bound-{api.user.pk}"
        turn = api.ended(api.begin(f"{word} [[sandbox: error=529; retry_after=0.9]]")["id"])
        assert (turn["status"], turn["error"]["type"]) == ("failed", "overloaded_error")
        assert 1 <= attempts(sandbox, word) <= 3


def test_stopping_the_wait_books_nothing(api: Api, sandbox: Sandbox) -> None:
    word = f"wait-{api.user.pk}"
    turn = api.begin(f"{word} [[sandbox: error=429; retry_after=20]]")
    until(lambda: any(request.status == 429 and word in str(request.body) for request in sandbox.requests))
    time.sleep(1)  # until the platform has read the refusal, which can't be observed from outside
    assert api.post(f"turns/{turn['id']}/cancel/").status_code == 202
    ended = api.ended(turn["id"])
    assert (ended["status"], ended["usage"]["requests"]) == ("cancelled", 0)
    assert not Usage.objects.filter(turn=turn["id"]).exists()
    assert attempts(sandbox, word) == 1
