"""The admin's lists name their columns in words that a reviewer understands, not by the fields' names."""

from __future__ import annotations

import re
import uuid
from decimal import Decimal

import pytest
from django.test import Client

from conversations.admin import readonly
from conversations.models import Budget, Conversation, Usage, User
from tests.admin.pages import listed
from tests.clients import Api

LISTS = [
    *(f"conversations/{name}" for name in ("conversation", "message", "turn", "usage", "attachment", "user", "budget")),
    "extraction/extraction",
]
ID = re.compile(r">\s*[0-9a-f]{8}-[0-9a-f]{4}-")
CROSS = "close_small"  # unfold's icon for what is false


@pytest.mark.parametrize("name", LISTS)
def test_no_list_begins_with_ids_or_has_a_cross_where_nothing_is_wrong(staff: Client, api: Api, name: str) -> None:
    api.ask("Hello", api.conversation(title="Tea"))
    api.post("extraction/extractions/?wait=true", {"schema": {"type": "object"}, "content": "Ada"})
    Budget.objects.get_or_create(user=api.user, period="day", defaults={"limit": 10})
    page = staff.get(f"/admin/{name}/").content.decode()
    rows = page[page.index("<tbody") :] if "<tbody" in page else ""
    assert rows or name.endswith("attachment")
    assert not ID.search(rows.partition("</tbody>")[0])
    assert CROSS not in rows


def test_a_conversation_is_in_the_list_or_in_the_archive(staff: Client, api: Api) -> None:
    kept, archived = (api.conversation(title=title) for title in ("Kept", "Put away"))
    Conversation.objects.filter(pk=archived).update(archived=True)
    for id, place in ((kept, "list"), (archived, "archive")):
        assert f">{place}<" in staff.get(f"/admin/conversations/conversation/?q={id}").content.decode()
        assert CROSS not in staff.get(f"/admin/conversations/conversation/{id}/change/").content.decode()


@pytest.mark.parametrize(("rows", "said"), [(3, "3 usage"), (4, "more than 3 usage")])
def test_a_list_says_that_there_are_more_rows_than_it_counts(
    staff: Client, monkeypatch: pytest.MonkeyPatch, rows: int, said: str
) -> None:
    user = User.objects.create_user(f"spender-{uuid.uuid4().hex[:8]}")
    for _ in range(rows):
        Usage.objects.create(user=user, username=user.username, model="m", source="provider", cost=Decimal(1))
    monkeypatch.setattr(readonly, "COUNTED", 3)
    page = staff.get(f"/admin/conversations/usage/?user={user.pk}").content.decode()
    assert listed(page) == said
    assert not re.search(r"\d results?\b", page)


@pytest.mark.parametrize(("limit", "warned"), [("0.50", True), ("2", False), ("0", True)])
def test_a_budget_that_is_used_up_when_it_is_saved_says_so(staff: Client, limit: str, warned: bool) -> None:
    user = User.objects.create_user(f"spender-{uuid.uuid4().hex[:8]}")
    Usage.objects.create(user=user, username=user.username, model="m", source="provider", cost=Decimal("0.75"))
    form = {"user": str(user.pk), "group": "", "period": "month", "limit": limit}
    page = staff.post("/admin/conversations/budget/add/", form, follow=True).content.decode()
    assert ("The budget is used up" in page) == warned
    assert ("0.75 USD are spent or held" in page) == warned
    budget = Budget.objects.get(user=user)
    changed = staff.post(f"/admin/conversations/budget/{budget.pk}/change/", {"limit": "0.1"}, follow=True)
    assert "The budget is used up" in changed.content.decode()
