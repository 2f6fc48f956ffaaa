"""A turn that is requested while another one is active is refused, queued behind it, or replaces it."""

from __future__ import annotations

import base64
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import transaction

from conversations.models import Attachment, Budget, Conversation, PendingQuestion, Turn
from conversations.services.files import attachment_removal
from conversations.services.turns import turn_end, turn_queue
from conversations.services.turns.queued_turns import MOST_PENDING
from tests.calls import LOOK, calls_in, hand_in
from tests.clients import Api, sse
from tests.processes import ServerProcess
from tests.test_deleted_work import someone_waits
from tests.waiting import until

CALLS = '[[sandbox: tool=look{}; then; text="Seen."]]'
"""A prompt that calls a tool of the client: the turn stays active as long as a test needs."""


@pytest.fixture
def conversation(api: Api) -> str:
    return api.conversation(tools=[LOOK])


@pytest.fixture
def active(api: Api, conversation: str) -> dict[str, Any]:
    """Provide a turn that waits for a tool of the client."""
    return api.ask(CALLS, conversation)


def go_on(api: Api, turn: dict[str, Any]) -> None:
    assert hand_in(api, turn, *((call, "x") for call in calls_in(turn))).status_code == 202


def queue(api: Api, conversation: str, content: Any, **fields: Any) -> dict[str, Any]:
    return api.begin(content, conversation, on_active="queue", **fields)


def texts(api: Api, conversation: str) -> list[str]:
    path = api.get(f"conversations/{conversation}/messages/?page_size=200").json()["results"]
    return [block["text"] for message in path for block in message["content"] if block["type"] == "text"]


def said(text: str) -> str:
    return f'{text} [[sandbox: text="{text}!"]]'


def test_queued_turns_begin_in_order_each_after_what_was_said_before(
    api: Api, conversation: str, active: dict[str, Any]
) -> None:
    first, second = (queue(api, conversation, said(word)) for word in ("One", "Two"))
    assert (first["status"], first["user_message"]) == ("queued", None)
    assert first["queued_content"] == [{"type": "text", "text": said("One")}]
    assert api.get(f"conversations/{conversation}/turns/").json()["results"][0]["id"] == second["id"]
    assert api.post(f"conversations/{conversation}/turns/", {"content": "x"}).status_code == 409
    go_on(api, active)
    ended = [api.ended(each["id"]) for each in (first, second)]
    assert [each["status"] for each in ended] == ["completed", "completed"]
    assert [each["queued_content"] for each in ended] == [None, None]
    assert texts(api, conversation)[-5:] == ["Seen.", said("One"), "One!", said("Two"), "Two!"]
    events = api.events(first["id"])
    assert (events[0]["type"], events[0]["user_message"]) == ("turn_start", ended[0]["user_message"])
    assert not PendingQuestion.objects.filter(turn__in=[first["id"], second["id"]]).exists()
    exported = api.get(f"conversations/{conversation}/export/").json()
    assert api.post("conversations/import/", exported).status_code == 201


def test_a_queued_turn_can_name_its_parent_or_an_answer_to_give_anew(api: Api, conversation: str) -> None:
    answered = api.ask(said("Zero"), conversation)
    active = api.ask(CALLS, conversation)
    edit = queue(api, conversation, said("Root"), parent=None)
    again = api.post(
        f"conversations/{conversation}/turns/",
        {"regenerate": answered["messages"][0]["id"], "on_active": "queue"},
    ).json()
    assert (again["user_message"], again["queued_content"]) == (answered["user_message"], None)
    go_on(api, active)
    assert api.ended(edit["id"])["status"] == api.ended(again["id"])["status"] == "completed"
    tree = {node["id"]: node for node in api.get(f"conversations/{conversation}/tree/").json()["results"]}
    assert tree[api.get(f"turns/{edit['id']}/").json()["user_message"]]["parent"] is None
    siblings = [node for node in tree.values() if node["parent"] == answered["user_message"]]
    assert len(siblings) == 2


def test_it_is_followed_and_waited_for_before_it_begins(api: Api, conversation: str, active: dict[str, Any]) -> None:
    body = {"content": said("One"), "on_active": "queue"}
    path = f"/api/conversations/{conversation}/turns/"
    with api.socket() as socket, api.http.stream("POST", f"{path}?format=events", json=body) as stream:
        queued = until(lambda: api.get(path.removeprefix("/api/")).json()["results"][0])
        socket.send(type="conversation.follow", ref=0, conversation=conversation)
        socket.send(type="turn.create", ref=1, conversation=conversation, content=said("Two"), on_active="queue")
        created = next(frame for frame in iter(socket.receive, None) if frame["type"] == "turn.created")
        assert created["turn"]["status"] == "queued"
        with Api.of(api.url, api) as again, again.http.stream("GET", f"/api/turns/{queued['id']}/events/") as other:
            go_on(api, active)
            followed = list(sse(other))
            assert [each["type"] for each in followed][:: len(followed) - 1] == ["turn_start", "turn_end"]
        assert next(reversed(list(sse(stream))))["status"] == "completed"
        ends = [socket.until("turn_end")[-1]["turn"] for _ in range(2)]
    assert set(ends) == {queued["id"], created["turn"]["id"]}


def test_wait_answers_when_it_has_ended(api: Api, conversation: str) -> None:
    running = api.begin("[[sandbox: words=20; pace=0.02]]", conversation)
    waited = api.ask(said("One"), conversation, on_active="queue")
    assert (waited["status"], waited["messages"][0]["content"][0]["text"]) == ("completed", "One!")
    assert api.get(f"turns/{running['id']}/").json()["status"] == "completed"


def test_a_queued_turn_is_cancelled_without_a_trace_in_the_history(
    api: Api, conversation: str, active: dict[str, Any]
) -> None:
    first, second = (queue(api, conversation, said(word)) for word in ("One", "Two"))
    assert api.post(f"turns/{first['id']}/cancel/").status_code == 202
    cancelled = api.ended(first["id"])
    assert (cancelled["status"], cancelled["usage"]["requests"], cancelled["actions"]) == ("cancelled", 0, [])
    assert cancelled["queued_content"] == first["queued_content"]
    assert [event["type"] for event in api.events(first["id"])] == ["turn_start", "turn_end"]
    assert api.post(f"turns/{first['id']}/continue/").status_code == 400
    go_on(api, active)
    assert api.ended(second["id"])["status"] == "completed"
    assert said("One") not in texts(api, conversation)


@pytest.mark.parametrize("how", ["cancelled", "failed"])
def test_the_next_one_begins_however_the_active_one_ends(api: Api, conversation: str, how: str) -> None:
    first = api.ask(CALLS, conversation)
    fails = queue(api, conversation, "[[sandbox: error=400]]") if how == "failed" else first
    last = queue(api, conversation, said("Last"))
    if how == "failed":
        go_on(api, first)
    else:
        api.post(f"turns/{first['id']}/cancel/")
    assert api.ended(fails["id"])["status"] == how
    assert api.ended(last["id"])["status"] == "completed"


def test_what_is_settled_for_a_lost_process_lets_the_next_one_begin(
    api: Api, conversation: str, active: dict[str, Any]
) -> None:
    queued = queue(api, conversation, said("One"))
    Turn.objects.filter(pk=active["id"]).update(status=Turn.RUNNING, holder=active["id"], fence=7)
    turn_end.settle(turn_id=Turn.objects.get(pk=active["id"]).pk, by=Turn.objects.get(pk=queued["id"]).pk)
    assert api.ended(active["id"])["status"] == "interrupted"
    assert api.ended(queued["id"])["status"] == "completed"


def test_a_queue_whose_active_turn_is_gone_is_advanced(api: Api, conversation: str, active: dict[str, Any]) -> None:
    queued = queue(api, conversation, said("One"))
    Turn.objects.filter(pk=active["id"]).update(status=Turn.Status.CANCELLED)
    turn_queue.advance_stalled()
    assert api.ended(queued["id"])["status"] == "completed"


def test_at_most_twenty_wait(api: Api, conversation: str, active: dict[str, Any]) -> None:
    queued = [queue(api, conversation, f"{number}") for number in range(MOST_PENDING)]
    response = api.post(f"conversations/{conversation}/turns/", {"content": "x", "on_active": "queue"})
    assert (response.status_code, response.json()["error"]["type"]) == (409, "conflict_error")
    assert response.json()["error"]["details"] == {"turn": active["id"], "queued": MOST_PENDING, "most": MOST_PENDING}
    api.post(f"turns/{queued[0]['id']}/cancel/")
    assert queue(api, conversation, "x")["status"] == "queued"
    assert api.http.delete(f"/api/conversations/{conversation}/").status_code == 204
    assert not Turn.objects.filter(pk__in=[each["id"] for each in queued]).exists()
    assert api.get(f"turns/{queued[1]['id']}/").status_code == 404


def test_a_key_is_of_one_queued_turn(api: Api, conversation: str, active: dict[str, Any]) -> None:
    headers, path = {"Idempotency-Key": "k"}, f"conversations/{conversation}/turns/"
    body = {"content": "One", "on_active": "queue"}
    made = [api.post(path, body, headers=headers) for _ in range(2)]
    assert [each.status_code for each in made] == [201, 201]
    assert made[0].json()["id"] == made[1].json()["id"]
    assert api.post(path, {**body, "content": "Two"}, headers=headers).status_code == 422
    assert Turn.objects.filter(user=api.user).count() == 2


def test_a_budget_is_held_when_a_queued_turn_begins(api: Api, conversation: str, active: dict[str, Any]) -> None:
    refused, last = queue(api, conversation, said("One")), queue(api, conversation, said("Two"))
    budget = Budget.objects.create(user=api.user, limit=0)
    go_on(api, active)
    failed = api.ended(refused["id"])
    assert (failed["status"], failed["error"]["type"], failed["usage"]["requests"]) == ("failed", "budget_exceeded", 0)
    assert api.ended(last["id"])["status"] == "failed"
    assert texts(api, conversation)[-2:] == [said("One"), said("Two")]
    budget.delete()
    assert api.ask(said("Three"), conversation)["status"] == "completed"


def test_an_interrupting_turn_begins_when_what_was_said_is_kept(api: Api, conversation: str) -> None:
    running = api.begin("[[sandbox: words=2000; pace=0.05]]", conversation)
    events = api.events(running["id"], limit=6)
    waits = queue(api, conversation, said("Waits"))
    now = api.begin(said("Now"), conversation, on_active="interrupt")
    assert api.ended(now["id"])["status"] == "completed"
    stopped = api.get(f"turns/{running['id']}/").json()
    assert (stopped["status"], stopped["usage"]["requests"]) == ("cancelled", 1)
    assert events[-1]["position"] <= stopped["position"]
    assert api.ended(waits["id"])["status"] == "completed"
    assert texts(api, conversation)[-4:] == [said("Now"), "Now!", said("Waits"), "Waits!"]
    assert len(texts(api, conversation)) == 6


def test_a_turn_that_runs_in_another_process_is_interrupted(
    api: Api, daphne_server: ServerProcess, conversation: str
) -> None:
    running = api.begin("[[sandbox: words=2000; pace=0.05]]", conversation)
    with Api.of(daphne_server.url, api) as elsewhere:
        assert elsewhere.ask(said("Now"), conversation, on_active="interrupt")["status"] == "completed"
    assert api.ended(running["id"])["status"] == "cancelled"
    assert texts(api, conversation)[-2:] == [said("Now"), "Now!"]


def test_a_turn_that_awaits_tools_is_interrupted(api: Api, conversation: str, active: dict[str, Any]) -> None:
    now = api.ask(said("Now"), conversation, on_active="interrupt")
    assert (now["status"], api.ended(active["id"])["status"]) == ("completed", "cancelled")
    assert hand_in(api, active, (calls_in(active)[0], "x")).status_code == 409


def test_one_that_interrupts_before_another_has_begun_keeps_what_that_one_asked(api: Api, conversation: str) -> None:
    api.begin("[[sandbox: words=2000; pace=0.05]]", conversation)
    asked = [api.begin(said(f"{number}"), conversation, on_active="interrupt") for number in range(5)]
    assert api.ended(asked[-1]["id"])["status"] == "completed"
    assert {api.ended(each["id"])["status"] for each in asked[:-1]} <= {"cancelled", "completed"}
    assert [text for text in texts(api, conversation) if text.endswith("]]")][1:] == [said(f"{n}") for n in range(5)]


def test_without_an_active_turn_every_policy_begins_at_once(api: Api, conversation: str) -> None:
    for policy in ("reject", "queue", "interrupt"):
        assert api.ask("Hello", conversation, on_active=policy)["status"] == "completed"
    for wrong in ("wait", None, 1):
        body = {"content": "x", "on_active": wrong}
        assert api.post(f"conversations/{conversation}/turns/", body).status_code == 400


def test_files_of_a_queued_question_are_kept_for_it(
    api: Api, conversation: str, active: dict[str, Any], png: bytes
) -> None:
    source = {"type": "base64", "media_type": "image/png", "data": base64.b64encode(png).decode()}
    queued = queue(api, conversation, [{"type": "image", "source": source}])
    [kept] = Attachment.objects.filter(owner=api.user)
    assert queued["queued_content"][0]["source"]["attachment"] == str(kept.pk)
    assert not attachment_removal.remove_if_unused(kept.pk)
    go_on(api, active)
    assert api.ended(queued["id"])["status"] == "completed"
    assert kept.shown_in.count() == 1


def test_a_queued_turn_of_somebody_who_may_not_ask_any_more_fails(
    api: Api, other: Api, conversation: str, active: dict[str, Any]
) -> None:
    share = api.post(f"conversations/{conversation}/shares/", {"user": other.user.username, "role": "writer"}).json()
    queued = queue(other, conversation, said("Theirs"))
    assert api.http.delete(f"/api/conversations/{conversation}/shares/{share['id']}/").status_code == 204
    go_on(api, active)
    failed = api.ended(queued["id"])
    assert (failed["status"], failed["error"]["type"], failed["user"]) == (
        "failed",
        "not_found_error",
        other.user.username,
    )


def test_all_that_is_asked_at_the_same_moment_is_answered_or_refused(api: Api, conversation: str) -> None:
    policies = ["queue", "interrupt", "reject"] * 6

    def ask(number: int) -> Any:
        body = {"content": said(f"{number}"), "on_active": policies[number]}
        return api.post(f"conversations/{conversation}/turns/", body)

    with ThreadPoolExecutor(len(policies)) as pool:
        answers = list(pool.map(ask, range(len(policies))))
    assert {each.status_code for each in answers} <= {201, 409}
    refused = [(each.text, policy) for each, policy in zip(answers, policies, strict=True) if each.status_code != 201]
    assert {policy for _, policy in refused} <= {"reject"}, refused
    for each in answers:
        if each.status_code == 201:
            assert api.ended(each.json()["id"])["status"] in ("completed", "cancelled")
    asked = [text for text in texts(api, conversation) if text.endswith("]]")]
    assert len(asked) == len({*asked}) == sum(each.status_code == 201 for each in answers)


def test_a_turn_is_cancelled_while_it_is_about_to_begin(api: Api, conversation: str, active: dict[str, Any]) -> None:
    queued = queue(api, conversation, "[[sandbox: words=2000; pace=0.05]]")
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Turn.objects.filter(pk=active["id"]).update(status=Turn.Status.CANCELLED)
            Conversation.objects.select_for_update(no_key=True).get(pk=conversation)
            cancelling = pool.submit(api.post, f"turns/{queued['id']}/cancel/")
            until(someone_waits)
            turn_queue.advance(uuid.UUID(conversation))
        assert cancelling.result().status_code == 202
    assert api.ended(queued["id"])["status"] == "cancelled"
