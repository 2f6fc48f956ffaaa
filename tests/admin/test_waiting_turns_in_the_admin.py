"""Queued questions are shown to the staff, and reading them is recorded in the access log."""

from __future__ import annotations

from django.test import Client

from conversations.models import Opening
from tests.calls import LOOK
from tests.clients import Api

TURNS = "/admin/conversations/turn/"


def test_what_waits_is_on_the_pages_of_its_conversation_and_its_turn(staff: Client, api: Api) -> None:
    conversation = api.conversation(tools=[LOOK])
    api.ask("[[sandbox: tool=look{}; then; text=x]]", conversation)
    last = api.begin("Quagga & last", conversation, on_active="queue")
    listed = staff.get(TURNS, {"q": conversation, "status__exact": "pending"}).content.decode()
    assert last["id"] in listed
    assert "Quagga" not in listed
    assert not Opening.objects.filter(owner=api.user).exists()
    page = staff.get(f"/admin/conversations/conversation/{conversation}/change/").content.decode()
    assert "Quagga &amp; last" in page
    turn = staff.get(f"{TURNS}{last['id']}/change/").content.decode()
    assert "Quagga &amp; last" in turn
    assert "waits since" in turn
    kinds = Opening.objects.filter(owner=api.user).values_list("kind", flat=True)
    assert set(kinds) == {"conversation", "turn"}
    api.post(f"turns/{last['id']}/cancel/")
    assert "cancelled before it began" in staff.get(f"{TURNS}{last['id']}/change/").content.decode()
    assert "Quagga" not in staff.get(f"/admin/conversations/conversation/{conversation}/change/").content.decode()
