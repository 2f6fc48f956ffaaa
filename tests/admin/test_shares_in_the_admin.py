"""The staff see the users and groups a conversation is shared with, and can end a share."""

from __future__ import annotations

from django.test import Client

from conversations.models import Share
from tests.clients import Api


def test_a_share_is_shown_with_its_conversation_and_can_only_be_deleted(staff: Client, api: Api, other: Api) -> None:
    conversation = api.conversation()
    body = {"user": other.user.username, "role": "reader"}
    share = api.post(f"conversations/{conversation}/shares/", body).json()["id"]
    page = f"/admin/conversations/share/{share}/"
    shown = staff.get(f"/admin/conversations/conversation/{conversation}/change/").content.decode()
    assert f"{page}change/" in shown
    assert f"{other.user.username} (reader)" in shown
    assert share in staff.get("/admin/conversations/share/", {"q": conversation}).content.decode()
    assert staff.post(f"{page}change/", {"role": "writer"}).status_code == 403
    assert Share.objects.get(pk=share).role == "reader"
    assert staff.post(f"{page}delete/", {"post": "yes"}).status_code == 302
    assert other.get(f"conversations/{conversation}/").status_code == 404
