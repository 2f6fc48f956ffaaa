"""The ledger only grows, outlives what it is of, and says what each request was billed as."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection
from django.test import Client

from conversations.models import Conversation, Turn, Usage, User
from tests.clients import Api


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE conversations_usage SET cost = 0",
        "DELETE FROM conversations_usage",
        "TRUNCATE conversations_usage CASCADE",
    ],
)
def test_postgres_refuses_to_change_it(database: str, statement: str) -> None:
    with connection.cursor() as cursor, pytest.raises(IntegrityError, match="append-only"):
        cursor.execute(statement)


def test_its_rows_outlive_the_conversation_and_the_user(api: Api) -> None:
    turn = api.ask("Hello")
    before = Usage.objects.values().get(turn=turn["id"])
    assert api.http.delete(f"/api/conversations/{turn['conversation']}/").status_code == 204
    api.user.delete()
    assert not User.objects.filter(pk=before["user_id"]).exists()
    assert not Conversation.objects.filter(pk=before["conversation_id"]).exists()
    assert not Turn.objects.filter(pk=before["turn_id"]).exists()
    assert Usage.objects.values().get(pk=before["id"]) == before


def test_the_admin_shows_a_row_whose_user_is_gone(api: Api) -> None:
    name, row = api.user.username, Usage.objects.get(turn=api.ask("Hello")["id"])
    api.user.delete()
    staff = Client()
    staff.force_login(User.objects.create_superuser(f"staff-of-{name}"))
    assert name in staff.get(f"/admin/conversations/usage/?q={name}").content.decode()
    assert staff.get(f"/admin/conversations/usage/{row.pk}/change/").status_code == 200
