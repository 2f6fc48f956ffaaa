"""A turn from end to end: requested, streamed, stored."""

from __future__ import annotations

import pytest

from conversations.content.folding import fold
from tests.clients import Api, rejoined, sse
from tests.processes import ServerProcess


@pytest.fixture(params=["uvicorn_server", "daphne_server"])
def server(request: pytest.FixtureRequest) -> ServerProcess:
    """Provide each of the two servers in turn."""
    process: ServerProcess = request.getfixturevalue(request.param)
    return process


def test_it_waits_for_the_answer(api: Api) -> None:
    turn = api.ask("Hello")
    assert turn["status"] == "completed"
    assert turn["stop_reason"] == "end_turn"
    [message] = turn["messages"]
    assert message["role"] == "assistant"
    assert message["content"][0]["text"].startswith("[sandbox] You said: Hello")
    assert turn["usage"]["requests"] == 1
    assert turn["usage"]["output_tokens"] > 0
    assert float(turn["cost"]) > 0


def test_it_answers_at_once_and_goes_on(api: Api) -> None:
    turn = api.begin("Hello")
    assert turn["status"] in ("queued", "running")
    assert turn["messages"] == []
    assert api.ended(turn["id"])["status"] == "completed"


def test_it_streams_claudes_events_between_ours(api: Api) -> None:
    conversation = api.conversation()
    headers = {"Accept": "text/event-stream"}
    with api.http.stream(
        "POST", f"/api/conversations/{conversation}/turns/", json={"content": "Hello"}, headers=headers
    ) as response:
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/event-stream"
        assert response.headers["x-accel-buffering"] == "no"
        events = list(sse(response))
    types = [event["type"] for event in events]
    assert types[:3] == ["turn_start", "message_start", "content_block_start"]
    assert types[-4:] == ["content_block_stop", "message_delta", "message_stop", "turn_end"]
    assert events[0]["conversation"] == conversation
    assert all(event["turn"] == events[0]["turn"] for event in events)
    turn = api.get(f"turns/{events[0]['turn']}/").json()
    assert [message["id"] for message in turn["messages"]] == events[-1]["messages"]
    assert fold(events)[0].content == turn["messages"][0]["content"]


def test_positions_are_those_of_the_contract(api: Api) -> None:
    turn = api.ask('[[sandbox: text="Hello"]]')
    positions = [(event["type"], event["position"]) for event in rejoined(api.events(turn["id"]))]
    assert positions == [
        ("turn_start", 1),
        ("message_start", 2),
        ("content_block_start", 3),
        ("content_block_delta", 8),
        ("content_block_stop", 9),
        ("message_delta", 10),
        ("message_stop", 11),
        ("turn_end", 12),
    ]
    assert turn["position"] == 12
    rest = rejoined(api.events(turn["id"], after=5))
    assert (rest[0]["delta"]["text"], rest[0]["position"]) == ("llo", 8)
    assert len(rest) == 5
    assert api.events(turn["id"], after=12) == []


@pytest.mark.parametrize("after", ["13", "x", "-1", "1.5", "9" * 30])
def test_a_position_that_is_none_is_refused(api: Api, after: str) -> None:
    turn = api.ask('[[sandbox: text="Hello"]]')
    response = api.get(f"turns/{turn['id']}/events/?after={after}")
    assert response.status_code == 400
    assert response.json()["error"]["type"] == "invalid_request_error"


def test_the_last_event_id_is_where_a_stream_goes_on(api: Api) -> None:
    turn = api.ask('[[sandbox: text="Hello"]]')
    with api.http.stream("GET", f"/api/turns/{turn['id']}/events/", headers={"Last-Event-ID": "10"}) as response:
        assert [event["position"] for event in sse(response)] == [11, 12]


def test_the_plain_form_is_tokens_and_done(api: Api) -> None:
    turn = api.ask('[[sandbox: text="Hello you"]]')
    with api.http.stream("GET", f"/api/turns/{turn['id']}/events/?format=tokens") as response:
        lines = list(sse(response))
    assert "".join(line.get("token", "") for line in lines) == "Hello you"
    assert lines[-1] == {"done": True}


def test_the_plain_form_ends_with_the_error(api: Api) -> None:
    turn = api.begin("[[sandbox: error_after=1:overloaded_error]]")
    api.ended(turn["id"])
    with api.http.stream("GET", f"/api/turns/{turn['id']}/events/?format=tokens") as response:
        lines = list(sse(response))
    assert list(lines[-1]) == ["error"]
    assert lines[0]["token"]


def test_the_socket_streams_a_turn(api: Api) -> None:
    conversation = api.conversation()
    with api.socket() as socket:
        socket.send(type="turn.create", ref="a", conversation=conversation, content="Hello")
        created, *events = socket.until("turn_end")
        assert created["type"] == "turn.created"
        assert created["ref"] == "a"
        assert events[0]["type"] == "turn_start"
        turn = api.get(f"turns/{created['turn']['id']}/").json()
        assert fold(events)[0].content == turn["messages"][0]["content"]


def test_the_socket_goes_on_from_any_position(api: Api) -> None:
    turn = api.ask('[[sandbox: text="Hello"]]')
    with api.socket() as socket:
        socket.send(type="turn.follow", ref=1, turn=turn["id"], after=5)
        assert socket.until("turn_end") == api.events(turn["id"], after=5)


def test_a_turn_begun_by_post_is_seen_by_a_socket_that_follows_the_conversation(api: Api) -> None:
    conversation = api.conversation()
    with api.socket() as socket:
        socket.send(type="conversation.follow", ref="f", conversation=conversation)
        socket.send(type="ping")
        assert socket.until("pong")
        turn = api.begin("Hello", conversation)
        events = socket.until("turn_end")
    assert events == api.events(turn["id"]) or fold(events) == fold(api.events(turn["id"]))
    assert events[0]["turn"] == turn["id"]


def test_a_socket_that_follows_the_conversation_gets_its_own_turns_once_and_after_they_were_created(api: Api) -> None:
    conversation = api.conversation()
    with api.socket() as socket:
        socket.send(type="conversation.follow", ref="f", conversation=conversation)
        socket.send(type="ping")
        assert socket.until("pong")
        for _ in range(20):
            socket.send(type="turn.create", ref="a", conversation=conversation, content='[[sandbox: text="Hello"]]')
            created, *events = socket.until("turn_end")
            assert created["type"] == "turn.created"
            positions = [each["position"] for each in events]
            assert positions == sorted(set(positions))
            assert {each["turn"] for each in events} == {created["turn"]["id"]}


def test_a_turn_begun_on_a_socket_is_seen_over_sse(api: Api) -> None:
    conversation = api.conversation()
    with api.socket() as socket:
        socket.send(type="turn.create", ref="a", conversation=conversation, content="Hello [[sandbox: pace=0.01]]")
        turn = socket.receive()["turn"]["id"]
        seen = api.events(turn)
        assert fold(seen) == fold(socket.until("turn_end"))


def test_a_client_that_leaves_does_not_end_the_turn(api: Api) -> None:
    turn = api.begin("[[sandbox: words=20; pace=0.02]]")
    api.events(turn["id"], limit=2)
    assert api.ended(turn["id"])["status"] == "completed"


def test_a_stopped_turn_keeps_what_it_said(api: Api) -> None:
    turn = api.begin("[[sandbox: words=2000; pace=0.02]]")
    api.events(turn["id"], limit=5)
    response = api.post(f"turns/{turn['id']}/cancel/")
    assert response.status_code == 202
    ended = api.ended(turn["id"])
    assert ended["status"] == "cancelled"
    assert ended["messages"][0]["content"][0]["text"].startswith("word1 word2")
    assert ended["usage"]["requests"] == 1
    assert api.post(f"turns/{turn['id']}/cancel/").status_code == 202


def test_a_turn_is_stopped_over_the_socket(api: Api) -> None:
    conversation = api.conversation()
    with api.socket() as socket:
        socket.send(type="turn.create", ref=1, conversation=conversation, content="[[sandbox: words=2000; pace=0.02]]")
        turn = socket.receive()["turn"]["id"]
        socket.until("content_block_delta")
        socket.send(type="turn.cancel", ref=2, turn=turn)
        frames = socket.until("turn_end")
    assert {"type": "ok", "ref": 2} in frames or frames[-1]["status"] == "cancelled"
    assert api.get(f"turns/{turn}/").json()["status"] == "cancelled"
