"""Conversations are deleted when their time is over: temporary ones after a day, others by their owner's rule."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from config import tasks
from conversations.models import Conversation, Deletion, Retention, Turn, User
from conversations.services.deletion import retention
from tests.clients import Api


def age(conversation: str, **passed: float) -> None:
    """Backdate a conversation and its last turn."""
    at = timezone.now() - timedelta(**passed)
    Conversation.objects.filter(pk=conversation).update(created_at=at, updated_at=at)
    Turn.objects.filter(conversation_id=conversation).update(created_at=at, finished_at=at)


def are_there(*conversations: str) -> list[bool]:
    return [Conversation.objects.filter(pk=each).exists() for each in conversations]


def asked(api: Api, *, days: float = 0, **fields: Any) -> str:
    """Create a conversation whose last turn was `days` ago; return its id."""
    conversation = api.conversation(**fields)
    api.ask("Hello", conversation)
    age(conversation, days=days)
    return conversation


def in_group(api: Api, days: int | None) -> None:
    group = Group.objects.create(name=f"group-{uuid.uuid4()}")
    group.user_set.add(api.user)
    Retention.objects.create(group=group, days=days)


def test_a_temporary_one_is_gone_a_day_after_its_last_turn(api: Api) -> None:
    old, recent, other = asked(api, temporary=True), asked(api, temporary=True), asked(api, days=9)
    age(old, hours=24.5)
    age(recent, hours=23)
    assert [api.get(f"conversations/{each}/").json()["temporary"] for each in (old, other)] == [True, False]
    assert sorted(each["temporary"] for each in api.get("conversations/").json()["results"]) == [False, True, True]
    tasks.remove_temporary()
    assert are_there(old, recent, other) == [False, True, True]
    report = Deletion.objects.filter(kind="expired", cause="retention").latest("pk")
    assert report.erased["conversations"] >= 1
    assert report.finished_at is not None


def test_one_that_was_never_used_counts_from_its_creation_and_one_that_runs_stays(api: Api) -> None:
    unused, running = api.conversation(temporary=True), api.conversation(temporary=True)
    turn = api.begin("Hello [[sandbox: words=400; pace=0.1]]", running)
    at = timezone.now() - timedelta(days=2)
    Conversation.objects.filter(pk__in=(unused, running)).update(created_at=at)
    Turn.objects.filter(pk=turn["id"]).update(created_at=at)
    tasks.remove_temporary()
    assert are_there(unused, running) == [False, True]
    api.post(f"turns/{turn['id']}/cancel/")


def test_whether_it_is_temporary_is_chosen_once(api: Api) -> None:
    conversation = asked(api, temporary=True)
    path = f"/api/conversations/{conversation}/"
    assert api.http.patch(path, json={"temporary": True, "title": "Tea"}).status_code == 200
    refused = api.http.patch(path, json={"temporary": False})
    assert (refused.status_code, refused.json()["error"]["details"]) == (400, {"temporary": "can't be changed"})
    assert api.post("conversations/", {"temporary": "yes"}).status_code == 400
    leaf = api.get(f"conversations/{conversation}/messages/").json()["results"][-1]["id"]
    assert api.post(f"conversations/{conversation}/fork/", {"message": leaf}).json()["temporary"] is True


@pytest.mark.parametrize(
    ("own", "groups", "gone_after"),
    [
        ([], [], 30),
        ([], [10], 10),
        ([], [20, 10, None], 10),
        ([], [None], None),
        ([5], [10], 5),
        ([50], [10], 50),
        ([None], [10], None),
    ],
)
def test_the_rule_that_is_nearest_to_the_user_holds(
    api: Api, settings: Any, own: list[int | None], groups: list[int | None], gone_after: int | None
) -> None:
    settings.COLLOQUY_KEEP_DAYS = 30
    for days in own:
        Retention.objects.create(user=api.user, days=days)
    for days in groups:
        in_group(api, days)
    ages = (1, 6, 11, 31, 51, 900)
    conversations = [asked(api, days=each) for each in ages]
    due = [retention.is_due(uuid.UUID(each)) for each in conversations]
    assert due == [gone_after is not None and each > gone_after for each in ages]
    tasks.remove_old()
    assert are_there(*conversations) == [not each for each in due]


def test_staff_set_it_in_the_admin(api: Api) -> None:
    staff = Client()
    staff.force_login(User.objects.create_superuser(f"staff-{uuid.uuid4().hex[:8]}"))
    add = "/admin/conversations/retention/add/"
    assert b"not both" in staff.post(add, {"user": "", "days": "9"}).content
    assert staff.post(add, {"user": str(api.user.pk), "days": "0"}).status_code == 200
    assert staff.post(add, {"user": str(api.user.pk), "days": "9"}).status_code == 302
    assert Retention.objects.get(user=api.user).days == 9
    assert api.user.username in staff.get("/admin/conversations/retention/").content.decode()


def test_what_was_deleted_is_told_to_its_owner(api: Api, other: Api) -> None:
    conversation = asked(api)
    assert api.http.delete(f"/api/conversations/{conversation}/").status_code == 204
    schema = {"type": "object", "properties": {"name": {"type": "string"}}}
    done = api.post("extraction/extractions/?wait=true", {"schema": schema, "content": "Jane"}).json()
    assert api.http.delete(f"/api/extraction/extractions/{done['id']}/").status_code == 204
    [second, first] = api.get("me/deletions/").json()["results"]
    assert (first["kind"], first["cause"], first["erased"]["messages"]) == ("conversation", "owner", 2)
    assert (second["kind"], second["erased"]["extractions"]) == ("extraction", 1)
    assert first["finished_at"] is not None
    assert other.get("me/deletions/").json()["results"] == []


def test_staff_with_the_permission_delete_conversations(api: Api) -> None:
    staff = Client()
    staff.force_login(User.objects.create_superuser(f"staff-{uuid.uuid4().hex[:8]}"))
    one, two, three = asked(api, title="Secret"), asked(api), asked(api)
    page = f"/admin/conversations/conversation/{one}/delete/"
    assert b"messages: 2" in staff.get(page).content.lower()
    assert staff.post(page, {"post": "yes"}).status_code == 302
    chosen = {"action": "delete_selected", "_selected_action": [two, three]}
    assert are_there(one, two, three) == [False, True, True]
    staff.post("/admin/conversations/conversation/", chosen)
    assert are_there(two, three) == [True, True]
    staff.post("/admin/conversations/conversation/", {**chosen, "post": "yes"})
    assert are_there(two, three) == [False, False]
    assert {each["cause"] for each in api.get("me/deletions/").json()["results"]} == {"staff"}
