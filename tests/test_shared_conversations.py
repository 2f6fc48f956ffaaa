"""Conversations are shared with users and groups: readers read, writers ask and pay, and others get 404."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterator
from typing import Any, cast

import pytest
from django.contrib.auth.models import Group
from django.db import connection

from conversations.models import Attachment, Conversation, Share, User
from conversations.services.conversation_lists import ConversationList
from conversations.services.list_parts import ListPart
from tests.calls import LOOK, calls_in, hand_in
from tests.clients import Api, sse

CALLS = '[[sandbox: tool=look{}; then; text="Seen."]]'


def share(owner: Api, conversation: str, role: str, **whom: Any) -> dict[str, Any]:
    response = owner.post(f"conversations/{conversation}/shares/", {"role": role, **whom})
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.json()
    return made


def end(owner: Api, conversation: str, share: dict[str, Any]) -> None:
    assert owner.http.delete(f"/api/conversations/{conversation}/shares/{share['id']}/").status_code == 204


def listed(api: Api, query: str = "shared=true") -> list[str]:
    return [each["id"] for each in api.get(f"conversations/?{query}").json()["results"]]


@pytest.fixture
def group() -> Iterator[Group]:
    made = Group.objects.create(name=f"group-{uuid.uuid4().hex[:8]}")
    yield made
    made.delete()


def image(data: bytes) -> dict[str, Any]:
    source = {"type": "base64", "media_type": "image/png", "data": base64.b64encode(data).decode()}
    return {"type": "image", "source": source}


def test_a_reader_sees_whose_it_is_and_what_they_may(api: Api, other: Api) -> None:
    id = api.conversation(title="Tea")
    turn = api.ask("Hello [[sandbox: words=3]]", id)
    assert (listed(other), listed(other, "")) == ([], [])
    made = share(api, id, "reader", user=other.user.username)
    assert (made["user"], made["group"], made["role"]) == (other.user.username, None, "reader")
    shown = other.get(f"conversations/{id}/").json()
    assert (shown["owner"], shown["role"], shown["title"]) == (api.user.username, "reader", "Tea")
    [row] = other.get("conversations/?shared=true").json()["results"]
    assert (row["id"], row["owner"], row["role"]) == (id, api.user.username, "reader")
    assert listed(other, "") == []
    assert listed(other, "shared=true&q=Tea") == [id]
    assert api.get(f"conversations/{id}/").json()["role"] == "owner"
    assert (listed(api), listed(api, "")) == ([], [id])
    assert other.events(turn["id"]) == api.events(turn["id"])
    assert other.get(f"conversations/{id}/export/").json() == api.get(f"conversations/{id}/export/").json()


def test_what_a_writer_asks_is_theirs_to_pay_and_the_owners_to_read(api: Api, other: Api) -> None:
    id = api.conversation()
    api.ask("First", id)
    before = api.get("usage/").json()["total"]
    share(api, id, "writer", user=str(other.user.pk))
    turn = other.ask_with({"Idempotency-Key": "once"}, "Second", id)
    assert other.ask_with({"Idempotency-Key": "once"}, "Second", id)["id"] == turn["id"]
    assert api.ask_with({"Idempotency-Key": "once"}, "Third", id)["id"] != turn["id"]
    assert [each["turn"] for each in other.get("usage/records/").json()["results"]] == [turn["id"]]
    assert api.get("usage/").json()["total"]["requests"] == before["requests"] + 1
    seen = api.get(f"turns/{turn['id']}/").json()
    assert (seen["cost"], seen["user"]) == (turn["cost"], other.user.username)
    said = [each["role"] for each in api.get(f"conversations/{id}/messages/").json()["results"]]
    assert said == ["user", "assistant"] * 3


def test_a_key_opens_no_conversation_that_is_shared_no_more(api: Api, other: Api) -> None:
    id = api.conversation()
    made = share(api, id, "writer", user=other.user.username)
    other.ask_with({"Idempotency-Key": "k"}, "Hello", id)
    end(api, id, made)
    response = other.post(f"conversations/{id}/turns/", {"content": "Hello"}, headers={"Idempotency-Key": "k"})
    assert response.status_code == 404


def test_what_anyone_says_is_shown_to_who_follows_the_conversation(api: Api, other: Api) -> None:
    id = api.conversation()
    share(api, id, "reader", user=other.user.username)
    with other.socket() as socket:
        socket.send(type="conversation.follow", ref=1, conversation=id)
        socket.send(type="ping", ref=2)
        assert socket.receive()["type"] == "pong"
        turn = api.begin("Hello", id)
        events = socket.until("turn_end")
        assert {each["turn"] for each in events} == {turn["id"]}


@pytest.mark.parametrize("by_group", [False, True])
def test_what_is_open_ends_when_a_share_does(api: Api, other: Api, group: Group, by_group: bool) -> None:
    other.user.groups.add(group)
    id = api.conversation(tools=[LOOK])
    made = share(api, id, "reader", **({"group": group.name} if by_group else {"user": other.user.username}))
    turn = api.ask(CALLS, id)
    with other.socket() as socket, other.http.stream("GET", f"/api/turns/{turn['id']}/events/") as stream:
        events = sse(stream)
        assert next(events)["type"] == "turn_start"
        socket.send(type="turn.follow", ref=1, turn=turn["id"], after=turn["position"])
        socket.send(type="conversation.follow", ref=2, conversation=id)
        socket.send(type="ping", ref=3)
        assert socket.receive()["type"] == "pong"
        if by_group:
            other.user.groups.remove(group)
        else:
            end(api, id, made)
        last = list(events)[-1]
        assert (last["type"], last["turn"], last["error"]["type"]) == ("error", turn["id"], "not_found_error")
        ends = [socket.receive(), socket.receive()]
        assert [(each["type"], each["error"]["type"]) for each in ends] == [("error", "not_found_error")] * 2
        details = sorted((each["error"]["details"] for each in ends), key=list)
        assert details == [{"conversation": id}, {"turn": turn["id"]}]
        socket.send(type="ping", ref=4)
        assert socket.receive()["ref"] == 4
    assert hand_in(api, turn, *((call, "x") for call in calls_in(turn))).status_code == 202
    assert api.ended(turn["id"])["status"] == "completed"


def test_who_waits_for_an_answer_is_told_that_it_is_shared_no_more(api: Api, other: Api) -> None:
    id = api.conversation()
    made = share(api, id, "writer", user=other.user.username)
    with other.http.stream(
        "POST", f"/api/conversations/{id}/turns/?format=events", json={"content": CALLS, "tools": [LOOK]}
    ) as stream:
        events = sse(stream)
        assert any(event["type"] == "message_stop" for event in events)
        end(api, id, made)
        assert list(events)[-1]["error"]["type"] == "not_found_error"
    [turn] = api.get(f"conversations/{id}/turns/").json()["results"]
    assert api.post(f"turns/{turn['id']}/cancel/").status_code == 202


def test_files_of_a_queued_question_are_for_those_who_see_it(api: Api, other: Api, png: bytes) -> None:
    id = api.conversation(tools=[LOOK])
    made = share(api, id, "writer", user=other.user.username)
    api.ask(CALLS, id)
    queued = other.begin([image(png)], id, on_active="queue")["queued_content"]
    path = f"attachments/{queued[0]['source']['attachment']}/content/"
    assert other.get(path).content == png
    end(api, id, made)
    assert other.get(path).status_code == 404


def test_files_are_for_those_who_see_the_conversation(api: Api, other: Api, png: bytes) -> None:
    id = api.conversation()
    api.ask([image(png), {"type": "text", "text": "What is it?"}], id)
    [shown] = Attachment.objects.filter(owner=api.user)
    named = [{"type": "image", "source": {"type": "attachment", "attachment": str(shown.pk)}}]
    content, own = f"attachments/{shown.pk}/content/", other.conversation()
    assert other.get(content).status_code == 404
    assert other.post(f"conversations/{own}/turns/", {"content": named}).status_code == 404
    made = share(api, id, "reader", user=other.user.username)
    assert other.get(content).content == png
    kept = other.ask(named, own)
    [theirs] = Attachment.objects.filter(owner=other.user)
    end(api, id, made)
    assert other.get(content).status_code == 404
    assert other.post(f"conversations/{own}/turns/", {"content": named}).status_code == 404
    [source] = [each["content"][0]["source"] for each in path(other, own) if each["id"] == kept["user_message"]]
    assert source["attachment"] == str(theirs.pk)
    assert other.get(f"attachments/{theirs.pk}/content/").content == png
    assert api.get(f"attachments/{theirs.pk}/content/").status_code == 404


def path(api: Api, conversation: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get(f"conversations/{conversation}/messages/").json()["results"]
    return found


def test_what_a_writer_sends_stays_with_the_conversation_and_a_fork_is_the_forkers_own(
    api: Api, other: Api, png: bytes
) -> None:
    id = api.conversation()
    made = share(api, id, "writer", user=other.user.username)
    uploaded = other.http.post("/api/attachments/", files={"file": ("a.png", png, "image/png")}).json()["id"]
    turn = other.ask([{"type": "image", "source": {"type": "attachment", "attachment": uploaded}}], id)
    forked = other.post(f"conversations/{id}/fork/", {"message": turn["messages"][-1]["id"]}).json()
    assert (forked["role"], forked["owner"]) == ("owner", other.user.username)
    end(api, id, made)
    for whose, where in ((api, id), (other, forked["id"])):
        source = path(whose, where)[0]["content"][0]["source"]
        assert Attachment.objects.get(pk=source["attachment"]).owner == whose.user
        assert whose.http.get(source["url"]).content == png
    assert other.ask("And now?", forked["id"])["status"] == "completed"
    User.objects.get(pk=other.user.pk).delete()
    assert api.http.get(path(api, id)[0]["content"][0]["source"]["url"]).content == png
    assert api.ask("And now?", id)["status"] == "completed"


def test_shares_are_the_owners_to_give_and_take(api: Api, other: Api, group: Group) -> None:
    id = api.conversation()
    shares = f"conversations/{id}/shares/"
    made = share(api, id, "reader", user=other.user.username)
    again = api.post(shares, {"user": other.user.username, "role": "writer"})
    assert (again.status_code, again.json()["id"], again.json()["role"]) == (200, made["id"], "writer")
    share(api, id, "reader", group=group.name)
    assert [each["group"] for each in api.get(shares).json()["results"]] == [None, group.name]
    other.user.groups.add(group)
    assert [each["role"] for each in other.get("conversations/?shared=true").json()["results"]] == ["writer"]
    refused: list[tuple[int, dict[str, Any]]] = [
        (400, {"role": "reader"}),
        (400, {"role": "reader", "user": "a", "group": "b"}),
        (400, {"role": "owner", "user": other.user.username}),
        (400, {"role": "reader", "user": api.user.username}),
        (400, {"role": "reader", "user": 1}),
        (404, {"role": "reader", "user": str(uuid.uuid4())}),
        (404, {"role": "reader", "user": "nobody"}),
        (404, {"role": "reader", "group": "nobody"}),
    ]
    for status, body in refused:
        response = api.post(shares, body)
        assert response.status_code == status, body
        assert response.json()["error"]["details"]
    assert other.get(shares).status_code == 404
    assert api.http.delete(f"/api/{shares}{uuid.uuid4()}/").status_code == 404


def test_a_list_of_what_is_shared_pages_through_each_once(api: Api, other: Api, group: Group) -> None:
    other.user.groups.add(group)
    ids = [api.conversation(title=f"{number:02}") for number in range(7)]
    for id in ids:
        share(api, id, "reader", user=other.user.username)
    for id in ids[:3]:
        share(api, id, "writer", group=group.pk)
    found, page = [], "/api/conversations/?shared=true&ordering=title&page_size=3"
    while page:
        answer = other.http.get(page).json()
        found += [(each["id"], each["role"]) for each in answer["results"]]
        page = answer["next"]
    assert found == [(id, "writer" if id in ids[:3] else "reader") for id in ids]


def test_no_list_of_what_is_shared_looks_at_all_conversations(api: Api, other: Api) -> None:
    many = Conversation.objects.bulk_create((Conversation(owner=api.user) for _ in range(3000)), batch_size=1000)
    Share.objects.create(conversation=many[0], user=other.user, role="reader")
    statement, values = ConversationList(other.user, shared=True).statement(ListPart("updated_at", 51, descending=True))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE conversations_conversation, conversations_share")
        cursor.execute(f"EXPLAIN {statement}", cast(dict[str, str], values))
        plan = "\n".join(row for (row,) in cursor)
    assert listed(other) == [str(many[0].pk)]
    assert "Seq Scan on conversations_conversation" not in plan, plan
    Conversation.objects.filter(owner=api.user).delete()
    assert listed(other) == []
