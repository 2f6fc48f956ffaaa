"""The AsyncAPI document describes every frame of a real socket, and refuses the frames that the socket refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from conversations.ws.frames import COMMANDS
from tests import clients
from tests.clients import Api, Event, Socket
from tests.contract.generators import asyncapi_parser, run
from tests.waiting import until

CLIENTS = Path(__file__).parent / "clients"
ABSENT = "00000000-0000-7000-8000-000000000000"


class Frames:
    """The document's messages, by which frames are classified."""

    def __init__(self, document: dict[str, Any]) -> None:
        components = document["components"]
        self.messages = {
            name: jsonschema_rs.Draft202012Validator(
                {**message["payload"], "components": components}, validate_formats=True
            )
            for name, message in components["messages"].items()
        }

    def kinds(self, frame: Any) -> list[str]:
        """Return the names of the messages as which a frame is valid."""
        return [name for name, validator in self.messages.items() if validator.is_valid(frame)]


class Watched:
    """A socket each of whose frames is validated against the document."""

    def __init__(self, socket: Socket, frames: Frames) -> None:
        self._socket, self._frames = socket, frames

    def send(self, **frame: Any) -> None:
        assert self._frames.kinds(frame) == [frame["type"]]
        self._socket.send(**frame)

    def until(self, *types: str) -> list[tuple[str, Event]]:
        """Return the frames up to one of these types, each with its message's name."""
        received: list[tuple[str, Event]] = []
        while not received or received[-1][1]["type"] not in types:
            frame = self._socket.receive(30)
            kinds = self._frames.kinds(frame)
            assert len(kinds) == 1, (kinds, frame)
            received.append((kinds[0], frame))
        return received


@pytest.fixture
def document(api: Api) -> dict[str, Any]:
    found: dict[str, Any] = clients.get(f"{api.url}/api/asyncapi/").json()
    return found


@pytest.fixture
def frames(document: dict[str, Any]) -> Frames:
    return Frames(document)


def kinds(received: list[tuple[str, Event]]) -> set[str]:
    return {kind for kind, _ in received}


def test_it_names_this_server_and_every_command(api: Api, document: dict[str, Any]) -> None:
    assert document["servers"]["platform"] == {"host": api.url.removeprefix("http://"), "protocol": "ws"}
    assert document["channels"]["socket"]["address"] == "/ws/"
    assert document["operations"].keys() == COMMANDS.keys()


def test_asyncapis_own_parser_has_no_complaint(document: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "asyncapi.json").write_text(json.dumps(document))
    run(["node", CLIENTS / "asyncapi.mjs", asyncapi_parser(), "asyncapi.json"], tmp_path)


def test_a_turns_frames_are_as_described(api: Api, frames: Frames) -> None:
    conversation = api.conversation()
    with api.socket() as socket:
        watched = Watched(socket, frames)
        content = [{"type": "text", "text": "Hello [[sandbox: thinking; web_search]]"}]
        watched.send(type="turn.create", ref=1, conversation=conversation, content=content, max_tokens=300)
        received = watched.until("turn_end")
        assert kinds(received) >= {"TurnCreated", "TurnStart", "MessageStart", "ContentBlockDelta", "TurnEnd"}
        turn = received[0][1]["turn"]["id"]
        watched.send(type="turn.follow", turn=turn, after=3)
        assert kinds(watched.until("turn_end")) >= {"ContentBlockDelta", "MessageDelta", "MessageStop"}
        watched.send(type="turn.unfollow", turn=turn)
        watched.send(type="turn.cancel", ref="stop", turn=turn)
        assert kinds(watched.until("ok")) == {"Ok"}
        watched.send(type="ping")
        assert kinds(watched.until("pong")) == {"Pong"}


def test_the_frames_of_a_clients_tool_are_as_described(api: Api, frames: Frames) -> None:
    tool = {"name": "look", "input_schema": {"type": "object"}}
    conversation = api.conversation(tools=[tool])
    with api.socket() as socket:
        watched = Watched(socket, frames)
        watched.send(type="conversation.follow", conversation=conversation)
        watched.send(type="turn.create", ref=None, conversation=conversation, content="Go [[sandbox: tool=look]]")
        received = watched.until("message_stop")
        turn = received[-1][1]["turn"]  # a follower may hear of the turn before its creator
        use = next(event["content_block"] for _, event in received if event["type"] == "content_block_start")
        results = [{"tool_use_id": use["id"], "content": [{"type": "text", "text": "Rain."}]}]
        until(lambda: api.get(f"turns/{turn}/").json()["status"] == "awaiting_tools")
        watched.send(type="turn.tool_results", ref=2, turn=turn, results=results)
        assert kinds(watched.until("turn_end")) >= {"ToolResultEvent", "TurnEnd"}


def test_the_frames_of_a_failed_turn_are_as_described(api: Api, frames: Frames) -> None:
    with api.socket() as socket:
        watched = Watched(socket, frames)
        content = "[[sandbox: error=400]]"
        watched.send(type="turn.create", conversation=api.conversation(), content=content)
        assert kinds(watched.until("turn_end")) >= {"ErrorEvent", "TurnEnd"}


BAD: dict[str, dict[str, Any]] = {
    "unknown type": {"type": "turn.begin"},
    "unknown field": {"type": "turn.cancel", "turn": ABSENT, "hard": True},
    "no turn": {"type": "turn.follow", "after": 0},
    "turn that is no id": {"type": "turn.cancel", "turn": "one"},
    "position below zero": {"type": "turn.follow", "turn": ABSENT, "after": -1},
    "content without blocks": {"type": "turn.create", "conversation": ABSENT, "content": []},
    "block of no kind": {"type": "turn.create", "conversation": ABSENT, "content": [{"type": "poem"}]},
    "temperature of two": {"type": "turn.create", "conversation": ABSENT, "content": "x", "temperature": 2},
    "results without ids": {"type": "turn.tool_results", "turn": ABSENT, "results": [{"content": "x"}]},
}


@pytest.mark.parametrize("frame", BAD.values(), ids=BAD.keys())
def test_what_the_document_does_not_know_is_refused(frame: dict[str, Any], api: Api, frames: Frames) -> None:
    assert frames.kinds(frame) == []
    with api.socket() as socket:
        socket.send(ref="bad", **frame)
        answer = socket.receive()
    assert frames.kinds(answer) == ["ErrorFrame"]
    assert answer["error"]["type"] == "invalid_request_error"
