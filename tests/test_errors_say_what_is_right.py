"""An error says what was wrong, where, and what would be right, in words that need no knowledge of the project."""

from __future__ import annotations

from typing import Any

import pytest

from tests.clients import Api

NOBODY = "01a208ce-7785-7206-a202-3517d745131f"
TURNS = "conversations/{id}/turns/"
CASES: list[tuple[str, Any, int, str]] = [
    ("conversations/", {"titel": "x"}, 400, "titel: Unknown field; allowed fields: model, system, "),
    ("conversations/", {"max_tokens": "7"}, 400, "max_tokens: Must be an integer."),
    ("conversations/", {"created_at": "now"}, 400, "created_at: This field can't be set: leave it out."),
    (
        "conversations/{id}/activate/",
        {"leaf": NOBODY},
        404,
        f"leaf: This conversation has no message with the id {NOBODY}.",
    ),
    (
        "conversations/{id}/fork/",
        {"message": NOBODY},
        404,
        f"message: This conversation has no message with the id {NOBODY}.",
    ),
    (TURNS, {"regenerate": NOBODY}, 404, f"regenerate: This conversation has no message with the id {NOBODY}."),
    (TURNS, {"content": "x", "parent": NOBODY}, 404, f"parent: This conversation has no message with the id {NOBODY}."),
    (TURNS, {}, 400, "content: Give either `content` or `regenerate`, not both."),
    (TURNS, {"content": 7}, 400, "content: Must be a string or a list of content blocks."),
    (TURNS, {"content": [{"type": "text", "txt": "x"}]}, 400, "content.0.txt: Unknown field; allowed fields: "),
    (TURNS, {"content": [{"type": "video"}]}, 400, "content.0.type: Must be one of document, image, "),
    (
        TURNS,
        {"content": [{"type": "tool_result", "tool_use_id": "x", "content": "y"}]},
        400,
        "content: The message before has no open tool call x.",
    ),
    (TURNS + "?wait=perhaps", {"content": "x"}, 400, "wait: Must be true or false."),
    (f"turns/{NOBODY}/cancel/", None, 404, "There is no turn with this id, or it is not yours."),
    ("nothing/", {}, 404, "There is nothing at this path. /api/docs/ lists all endpoints."),
    ("auth/login/", {"username": "x", "password": "y"}, 401, "The username or the password is wrong."),
]


@pytest.fixture(scope="module")
def conversation(uvicorn_server: Any) -> Any:
    with Api(uvicorn_server.url) as api:
        yield api, api.conversation()


@pytest.mark.parametrize(("path", "body", "status", "message"), CASES, ids=[case[3][:40] for case in CASES])
def test_a_request_is_refused_with(conversation: Any, path: str, body: Any, status: int, message: str) -> None:
    api, id = conversation
    response = api.post(path.format(id=id), body)
    error = response.json()["error"]
    assert (response.status_code, error["message"][: len(message)]) == (status, message)


def test_an_answer_to_nothing_can_not_be_regenerated(api: Api) -> None:
    answer = {"id": "a", "parent": None, "role": "assistant", "content": [{"type": "text", "text": "Hello"}]}
    export = {"format": "colloquy/1", "conversation": {}, "messages": [answer]}
    error = api.post("conversations/import/", export).json()["error"]
    assert error["message"] == "messages.0: A message without a parent must be a user's question, without tool results."


def test_a_whole_answer_can_not_be_continued(api: Api) -> None:
    turn = api.ask("Hello")
    error = api.post(f"turns/{turn['id']}/continue/", {}).json()["error"]
    assert error["message"] == (
        "This turn can't be continued, since its answer was not cut: its status is completed, its stop_reason end_turn."
    )
    error = api.get(f"turns/{turn['id']}/events/?after=999").json()["error"]
    assert error["message"] == f"after is 999, but this turn has ended at position {turn['position']}."


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ("[]", 'A frame must be a JSON object with a `type`, such as {"type": "ping"}.'),
        ('{"type": "turn.begin"}', "There is no command 'turn.begin'; there are turn.create, turn.follow, "),
        ('{"type": "turn.follow"}', "turn: This field is required."),
    ],
)
def test_a_frame_is_refused_with(api: Api, frame: str, message: str) -> None:
    with api.socket() as socket:
        socket.connection.send(frame)
        assert socket.receive()["error"]["message"][: len(message)] == message


def test_a_host_that_the_server_does_not_know_is_named_as_what_is_wrong(api: Api) -> None:
    response = api.http.get("/api/me/", headers={"Host": "elsewhere.example"})
    assert response.status_code == 400
    assert "DJANGO_ALLOWED_HOSTS" in response.json()["error"]["message"]
