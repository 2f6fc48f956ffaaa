"""Times that are compared with the database's time come from the database, since hosts' clocks differ."""

from __future__ import annotations

import ast
from datetime import timedelta

import pytest
from django.db import models
from django.utils import timezone

from conversations import clock
from conversations.models import Attachment, Conversation, Ticket, Titling, Turn, Usage
from conversations.services.accounts import accounts
from extraction.models import Extraction
from tests.clients import Api
from tests.processes import ROOT
from tests.test_house import MODULES

OWN = {
    # The modules that may use the host's clock for the time of day, and their reasons.
    "conversations/admin/review/form.py": "the days that a form proposes",
    "conversations/admin/review/dashboard.py": "the day up to which the forecast counts",
    "conversations/admin/review/presets.py": "the days that a reviewer is offered to choose",
    "conversations/admin/review/saved.py": "which of those periods a page shows",
    "conversations/admin/review/views.py": "whether the days that are shown are over",
    "conversations/archives/exporting.py": "what an archive is named and dated by",
    "conversations/claude/error_mapping.py": "the dates in Claude's headers",
    "conversations/sandbox": "the sandbox has no database",
}
ASKING = {("timezone", "now"), ("datetime", "now"), ("datetime", "utcnow"), ("date", "today"), ("time", "time")}


def test_no_module_asks_its_hosts_clock_for_the_time_of_day() -> None:
    for path in MODULES:
        name = path.relative_to(ROOT).as_posix()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                asks = (node.value.id, node.attr) in ASKING
                assert not asks or name.startswith(tuple(OWN)), f"{name}:{node.lineno} asks the host's clock"


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (Turn, "created_at"),
        (Titling, "created_at"),
        (Extraction, "created_at"),
        (Usage, "created_at"),
        (Attachment, "created_at"),
        (Conversation, "updated_at"),
    ],
)
def test_a_column_that_is_compared_with_the_databases_time_is_dated_by_it(model: type[models.Model], name: str) -> None:
    field = model._meta.get_field(name)
    assert isinstance(field, models.DateTimeField)
    assert not field.auto_now
    assert not field.auto_now_add
    assert field.has_db_default()


def test_a_conversation_is_dated_again_whenever_it_changes(api: Api) -> None:
    conversation = api.conversation()
    first = api.get(f"conversations/{conversation}/").json()["updated_at"]
    changed = api.http.patch(f"/api/conversations/{conversation}/", json={"title": "Another"}).json()["updated_at"]
    assert changed > first
    api.ask("Hello", conversation)
    asked = api.get(f"conversations/{conversation}/").json()["updated_at"]
    assert asked > changed
    assert Conversation.objects.get(pk=conversation).updated_at <= clock.now()


def test_a_ticket_is_as_old_as_the_database_says(api: Api) -> None:
    ticket = api.post("auth/ws-ticket/").json()["ticket"]
    [row] = Ticket.objects.filter(user=api.user)
    assert timedelta(0) < row.expires_at - clock.now() <= timedelta(seconds=accounts.TICKET_SECONDS)
    Ticket.objects.filter(pk=row.pk).update(expires_at=clock.from_now(-1))
    assert accounts.redeem_ticket(ticket=ticket) is None


def test_the_databases_clock_is_right(database: str) -> None:
    assert abs(clock.now() - timezone.now()) < timedelta(minutes=1)
