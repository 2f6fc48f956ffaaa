"""Failures of Claude or the network are retried where that is right, and reported by type; partial answers are kept."""

from __future__ import annotations

import pytest

from conversations.models import Usage
from conversations.sandbox.server import Sandbox
from tests.clients import Api
from tests.processes import ServerProcess, free_port

QUICKLY = "retry_after=0.01"


def attempts(sandbox: Sandbox, word: str) -> int:
    return sum(word in str(request.body) for request in sandbox.requests)


@pytest.mark.parametrize(("error", "status"), [("429", 429), ("529", 529), ("500", 500)])
def test_it_is_retried_and_then_works(api: Api, sandbox: Sandbox, error: str, status: int) -> None:
    turn = api.ask(f"retry-{api.user.pk} [[sandbox: error={error}; times=2; {QUICKLY}]]")
    assert turn["status"] == "completed"
    assert attempts(sandbox, f"retry-{api.user.pk}") == 3
    assert turn["usage"]["requests"] == 1


@pytest.mark.parametrize(
    ("error", "status"), [("rate_limit_error", 503), ("overloaded_error", 503), ("api_error", 502)]
)
def test_it_is_retried_at_most_twice(api: Api, sandbox: Sandbox, error: str, status: int) -> None:
    content = f"retry-{api.user.pk} [[sandbox: error={error}; {QUICKLY}]]"
    response = api.post(f"conversations/{api.conversation()}/turns/?wait=true", {"content": content})
    assert response.status_code == status
    assert response.json()["error"]["type"] == error
    turn = api.get(f"turns/{response.json()['error']['details']['turn']}/").json()
    assert (turn["status"], turn["error"]["type"], turn["messages"]) == ("failed", error, [])
    assert attempts(sandbox, f"retry-{api.user.pk}") == 3


def test_what_claude_refuses_is_not_retried(api: Api, sandbox: Sandbox) -> None:
    content = f"retry-{api.user.pk} [[sandbox: error=400]]"
    response = api.post(f"conversations/{api.conversation()}/turns/?wait=true", {"content": content})
    assert response.status_code == 400
    assert attempts(sandbox, f"retry-{api.user.pk}") == 1


@pytest.mark.parametrize("status", ["401", "402", "403"])
def test_trouble_with_our_key_tells_a_user_nothing(api: Api, status: str) -> None:
    content = f"[[sandbox: error={status}]]"
    response = api.post(f"conversations/{api.conversation()}/turns/?wait=true", {"content": content})
    assert response.status_code == 502
    assert "sandbox" not in response.json()["error"]["message"]


@pytest.mark.parametrize(
    ("directive", "type"),
    [
        ("error_after=3:overloaded_error", "overloaded_error"),
        ("error_after=3:brand_new_error", "brand_new_error"),
        ("cut_after=3", "api_error"),
        ("cut_clean_after=3", "api_error"),
        ("cut_midbyte_after=3", "api_error"),
    ],
)
def test_a_stream_that_breaks_keeps_what_came(api: Api, directive: str, type: str) -> None:
    turn = api.begin(f"[[sandbox: words=9; {directive}]]")
    turn = api.ended(turn["id"])
    assert (turn["status"], turn["error"]["type"]) == ("failed", type)
    assert turn["messages"][0]["content"][0]["text"].startswith("word1 word2")
    assert [event["type"] for event in api.events(turn["id"])][-2:] == ["error", "turn_end"]
    row = Usage.objects.get(turn=turn["id"])
    assert row.source == "estimate"
    assert row.input_tokens > 0
    assert row.output_tokens > 1
    assert row.error_type == type
    assert row.request_id.startswith("req_")
    assert api.ask("Go on", turn["conversation"])["status"] == "completed"


def test_the_ways_of_breaking_are_told_apart(api: Api) -> None:
    messages = set()
    for directive in ("error_after=2", "cut_after=2", "cut_clean_after=2"):
        turn = api.begin(f"[[sandbox: {directive}]]")
        messages.add(api.ended(turn["id"])["error"]["message"])
    assert len(messages) == 3


def test_a_stall_and_a_refused_connection_end_the_turn(database: str, sandbox: Sandbox) -> None:
    with ServerProcess("uvicorn", database, sandbox.url, ANTHROPIC_TIMEOUT="0.5") as server, Api(server.url) as api:
        turn = api.begin("[[sandbox: words=9; stall_after=2:30]]")
        turn = api.ended(turn["id"])
        assert (turn["status"], turn["error"]["type"]) == ("failed", "timeout_error")
        assert turn["messages"][0]["content"][0]["text"].startswith("word1")
    nobody = f"http://127.0.0.1:{free_port()}"
    with ServerProcess("uvicorn", database, nobody) as server, Api(server.url) as api:
        response = api.post(f"conversations/{api.conversation()}/turns/?wait=true", {"content": "Hello"})
        assert response.status_code == 502


def test_split_characters_and_odd_chunks_do_not_matter(api: Api) -> None:
    for directive in ("split_utf8", "chunk=1", "chunk=7; crlf", "one_chunk", "no_ping", "duplicate_message_start"):
        turn = api.ask(f'[[sandbox: text="naïve 日本 🎉 end"; {directive}]]')
        assert turn["messages"][0]["content"][0]["text"] == "naïve 日本 🎉 end"
