"""Conversations are created, changed, listed, searched, branched and deleted."""

from __future__ import annotations

import pytest
from django.db import IntegrityError

from conversations.models import Conversation, Turn, Usage
from conversations.sandbox.server import Sandbox
from tests.clients import Api

SETTINGS = {
    "system": "Be brief.",
    "model": "claude-haiku-4-5",
    "max_tokens": 77,
    "temperature": 0.25,
    "stop_sequences": ["END"],
}


def test_what_is_set_comes_back_and_goes_to_claude(api: Api, sandbox: Sandbox) -> None:
    id = api.conversation(title="T", metadata={"b": 1, "a": 2}, **SETTINGS)
    shown = api.get(f"conversations/{id}/").json()
    assert {name: shown[name] for name in SETTINGS} == SETTINGS
    assert list(shown["metadata"]) == ["b", "a"]
    api.ask("Hello", id)
    request = sandbox.requests[-1]
    assert {name: request.body[name] for name in SETTINGS} == SETTINGS
    assert request.headers["anthropic-version"] == "2023-06-01"
    assert request.body["messages"] == [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}]


def test_the_platforms_defaults_hold_where_nothing_is_set(api: Api, sandbox: Sandbox) -> None:
    api.ask("Hello")
    body = sandbox.requests[-1].body
    assert (body["model"], body["max_tokens"], body["stream"]) == ("claude-sonnet-4-6", 1024, True)
    assert body.keys() == {"model", "max_tokens", "messages", "cache_control", "stream"}
    assert sandbox.requests[-1].headers["anthropic-version"] == "2026-10-21"


def test_a_turns_own_settings_are_only_its_own(api: Api, sandbox: Sandbox) -> None:
    id = api.conversation(system="Be brief.", max_tokens=50)
    api.ask("Hello", id, max_tokens=60, system=None)
    assert sandbox.requests[-1].body["max_tokens"] == 60
    assert "system" not in sandbox.requests[-1].body
    api.ask("Hello", id)
    assert sandbox.requests[-1].body["max_tokens"] == 50
    assert sandbox.requests[-1].body["system"] == "Be brief."


def test_a_model_that_takes_no_temperature_says_so(api: Api) -> None:
    response = api.post("conversations/", {"model": "claude-opus-5-5", "temperature": 0.5})
    assert response.status_code == 400
    assert "temperature" in response.json()["error"]["details"]
    assert "effort" in response.json()["error"]["message"]


def test_the_whole_path_is_sent(api: Api, sandbox: Sandbox) -> None:
    id = api.conversation()
    for word in ("one", "two", "three"):
        api.ask(f'{word} [[sandbox: text="answer {word}"]]', id)
    texts = [message["content"][0]["text"] for message in sandbox.requests[-1].body["messages"]]
    assert [text.split(" [[")[0] for text in texts] == ["one", "answer one", "two", "answer two", "three"]


def test_it_is_changed_and_deleted_but_its_cost_stays(api: Api) -> None:
    id = api.conversation(title="Before", max_tokens=50)
    api.ask("Hello", id)
    changed = api.http.patch(f"/api/conversations/{id}/", json={"title": "After", "max_tokens": None, "archived": True})
    assert changed.json()["title"] == "After"
    assert changed.json()["max_tokens"] is None
    assert [row["id"] for row in api.get("conversations/?archived=true").json()["results"]] == [id]
    assert api.get("conversations/?archived=false").json()["results"] == []
    assert api.http.delete(f"/api/conversations/{id}/").status_code == 204
    assert api.get(f"conversations/{id}/").status_code == 404
    row = Usage.objects.get(user=api.user)
    assert row.cost
    assert not Turn.objects.filter(pk=str(row.turn_id)).exists()


def test_deleting_stops_and_books_what_runs(api: Api, sandbox: Sandbox) -> None:
    turn = api.begin("[[sandbox: words=5000; pace=0.02]]")
    api.events(turn["id"], limit=4)
    assert api.http.delete(f"/api/conversations/{turn['conversation']}/").status_code == 204
    assert Usage.objects.get(user=api.user).source == "estimate"
    assert not Turn.objects.filter(pk=turn["id"]).exists()


def test_lists_are_cursor_pages(api: Api) -> None:
    ids = [api.conversation(title=str(number)) for number in range(5)]
    page = api.get("conversations/?page_size=2").json()
    seen = [row["id"] for row in page["results"]]
    while page["next"]:
        page = api.http.get(page["next"]).json()
        seen += [row["id"] for row in page["results"]]
    assert seen == ids[::-1]
    assert [row["id"] for row in api.get("conversations/?ordering=created_at").json()["results"]] == ids


def test_messages_are_pages_of_the_path(api: Api) -> None:
    id = api.conversation()
    for number in range(3):
        api.ask(f"question {number}", id)
    page = api.get(f"conversations/{id}/messages/?page_size=4").json()
    roles = [row["role"] for row in page["results"]]
    assert roles == ["user", "assistant", "user", "assistant"]
    rest = api.http.get(page["next"]).json()
    assert [row["role"] for row in rest["results"]] == ["user", "assistant"]
    assert rest["next"] is None
    assert api.http.get(rest["previous"]).json()["results"] == page["results"]


@pytest.mark.parametrize("words", ["zebra", "Zebra crossing", '"zebra crossing"'])
def test_it_is_found_by_title_and_message_with_a_snippet(api: Api, words: str) -> None:
    titled = api.conversation(title="The zebra crossing")
    said = api.conversation(title="Other")
    api.ask("I met a zebra crossing the street", said)
    api.conversation(title="Neither")
    found = api.get("conversations/", params={"q": words}).json()["results"]
    assert {row["id"] for row in found} == {titled, said}
    assert all("<mark>" in row["snippet"] for row in found)


def test_an_edit_is_a_sibling_and_a_branch_can_be_activated(api: Api, sandbox: Sandbox) -> None:
    id = api.conversation()
    first = api.ask("one", id)
    api.ask("two", id)
    answer = first["messages"][0]["id"]
    api.ask("two, edited", id, parent=answer)
    path = api.get(f"conversations/{id}/messages/").json()["results"]
    assert [row["siblings"] for row in path] == [1, 1, 2, 1]
    assert path[2]["content"][0]["text"] == "two, edited"
    assert api.post(f"conversations/{id}/activate/", {"leaf": answer}).status_code == 200
    assert len(api.get(f"conversations/{id}/messages/").json()["results"]) == 2
    assert len(api.get(f"conversations/{id}/tree/").json()["results"]) == 6
    api.ask("a new beginning", id, parent=None)
    assert len(sandbox.requests[-1].body["messages"]) == 1


def test_an_answer_is_regenerated_as_a_sibling(api: Api) -> None:
    id = api.conversation()
    first = api.ask("one", id)
    response = api.post(f"conversations/{id}/turns/?wait=true", {"regenerate": first["messages"][0]["id"]})
    assert response.status_code == 201
    path = api.get(f"conversations/{id}/messages/").json()["results"]
    assert [row["siblings"] for row in path] == [1, 2]
    assert path[1]["id"] == response.json()["messages"][0]["id"]


def test_a_second_turn_waits_its_turn(api: Api) -> None:
    turn = api.begin("[[sandbox: words=3000; pace=0.02]]")
    response = api.post(f"conversations/{turn['conversation']}/turns/", {"content": "Me too"})
    assert response.status_code == 409
    assert response.json()["error"]["details"]["turn"] == turn["id"]
    api.post(f"turns/{turn['id']}/cancel/")
    api.ended(turn["id"])
    assert Conversation.objects.get(pk=turn["conversation"]).messages.filter(role="user").count() == 1


def test_a_key_creates_one_turn_for_ever(api: Api, sandbox: Sandbox) -> None:
    id = api.conversation()
    path, key = f"conversations/{id}/turns/", {"Idempotency-Key": "k1"}
    first = api.post(path, {"content": f"once {id}"}, headers=key).json()
    api.ended(first["id"])
    again = api.post(f"{path}?wait=true", {"content": f"once {id}"}, headers=key)
    assert (again.status_code, again.json()["id"]) == (201, first["id"])
    with api.socket() as socket:
        socket.send(type="turn.create", ref=1, conversation=id, content=f"once {id}", idempotency_key="k1")
        assert socket.receive()["turn"]["id"] == first["id"]
        assert socket.until("turn_end")[0]["type"] == "turn_start"
    other = api.post(path, {"content": "something else"}, headers=key)
    assert (other.status_code, other.json()["error"]["type"]) == (422, "idempotency_error")
    assert sum(f"once {id}" in str(request.body) for request in sandbox.requests) == 1


def test_its_active_leaf_is_a_message_of_its_own(api: Api) -> None:
    turn, other = api.ask("Hello"), api.conversation()
    with pytest.raises(IntegrityError, match="active_leaf_in_conversation"):
        Conversation.objects.filter(pk=other).update(active_leaf=turn["messages"][0]["id"])
