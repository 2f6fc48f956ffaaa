"""When staff open another user's data, that user can see it."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, InternalError, transaction
from django.test import Client

from conversations.models import Message, Opening, User
from tests.clients import Api


def test_every_opening_is_shown_to_the_owner(staff: Client, reviewer: User, api: Api, other: Api) -> None:
    turn = api.ask("A secret")
    message = Message.objects.filter(conversation_id=turn["conversation"], role="user").get()
    assert api.get("me/access-log/").json()["results"] == []
    for kind, id in (("conversation", turn["conversation"]), ("turn", turn["id"]), ("message", str(message.pk))):
        assert "A secret" in staff.get(f"/admin/conversations/{kind}/{id}/change/").content.decode() or kind == "turn"
        newest = api.get("me/access-log/").json()["results"][0]
        assert (newest["staff"], newest["kind"], newest["object"]) == (reviewer.username, kind, id)
        assert newest["created_at"]
    assert other.get("me/access-log/").json()["results"] == []


def test_lists_show_nothing_private_and_note_nothing(staff: Client, api: Api) -> None:
    api.ask("A secret that no list shows")
    for kind in ("conversation", "turn", "message", "usage"):
        assert "A secret that no list shows" not in staff.get(f"/admin/conversations/{kind}/").content.decode()
    assert not Opening.objects.filter(owner=api.user).exists()


def test_ones_own_is_not_noted(reviewer: User, staff: Client, api: Api) -> None:
    with Api(api.url, reviewer) as own:
        turn = own.ask("Mine")
    staff.get(f"/admin/conversations/conversation/{turn['conversation']}/change/")
    assert not Opening.objects.filter(owner=reviewer).exists()


def test_nobody_changes_what_was_noted(staff: Client, api: Api) -> None:
    turn = api.ask("Hello")
    staff.get(f"/admin/conversations/turn/{turn['id']}/change/")
    with pytest.raises((InternalError, IntegrityError)), transaction.atomic():
        Opening.objects.filter(owner=api.user).update(staff="nobody")
