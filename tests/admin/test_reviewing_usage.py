"""The admin shows messages and their cost, and changes nothing."""

from __future__ import annotations

import re
import uuid
from decimal import Decimal

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from conversations.models import Audit, Budget, Conversation, Message, Turn, Usage, User
from tests.admin.pages import total
from tests.clients import Api

PAGES = ["conversation", "message", "turn", "usage", "attachment", "user"]


@pytest.fixture
def spent(database: str) -> User:
    """Provide a user with two priced ledger rows, and one of a model whose price is unknown."""
    user = User.objects.create_user(f"spender-{uuid.uuid4().hex[:8]}")
    for model, cost in (("claude-sonnet-4-6", "0.25"), ("claude-opus-5-5", "0.5"), ("local", None)):
        Usage.objects.create(
            user=user,
            username=user.username,
            model=model,
            input_tokens=1000,
            output_tokens=10,
            cost=Decimal(cost) if cost else None,
            source=Usage.Source.PROVIDER,
        )
    return user


@pytest.mark.parametrize("name", PAGES)
def test_every_list_and_every_page_opens(staff: Client, api: Api, name: str) -> None:
    api.ask("Hello")
    page = staff.get(f"/admin/conversations/{name}/")
    assert page.status_code == 200
    link = re.search(rf"/admin/conversations/{name}/[0-9a-f-]{{36}}/change/", page.content.decode())
    if name != "attachment":
        assert link
        assert staff.get(link[0]).status_code == 200


def test_extractions_open(staff: Client, api: Api) -> None:
    schema = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    id = api.post("extraction/extractions/?wait=true", {"schema": schema, "content": "Jane"}).json()["id"]
    assert staff.get("/admin/extraction/extraction/").status_code == 200
    assert b"Jane" in staff.get(f"/admin/extraction/extraction/{id}/change/").content


@pytest.mark.parametrize("name", ["conversation", "message", "turn", "usage"])
def test_nothing_can_be_added_or_changed_and_no_record_deleted(staff: Client, api: Api, name: str) -> None:
    api.ask("Hello")
    row = {"conversation": Conversation, "message": Message, "turn": Turn, "usage": Usage}[
        name
    ]._default_manager.latest("pk")
    assert staff.get(f"/admin/conversations/{name}/add/").status_code == 403
    assert staff.post(f"/admin/conversations/{name}/{row.pk}/change/", {}).status_code == 403
    if name != "conversation":  # users with the permission may delete conversations
        assert staff.post(f"/admin/conversations/{name}/{row.pk}/delete/", {"post": "yes"}).status_code == 403
    row.refresh_from_db()


def test_the_totals_are_those_of_the_filtered_rows(staff: Client, spent: User) -> None:
    page = staff.get(f"/admin/conversations/usage/?user={spent.pk}&source=provider").content.decode()
    assert total(page, "requests") == "3"
    assert total(page, "tokens") == "3,030"
    assert total(page, "cost").startswith("$0.750000")
    page = staff.get(f"/admin/conversations/usage/?user={spent.username}&model=claude-opus-5-5").content.decode()
    assert total(page, "cost") == "$0.500000"
    page = staff.get(f"/admin/conversations/usage/?q={spent.username}").content.decode()
    assert total(page, "requests") == "3"


def test_an_unknown_price_is_shown_as_unknown(staff: Client, spent: User) -> None:
    page = staff.get(f"/admin/conversations/usage/?user={spent.pk}").content.decode()
    assert total(page, "cost") == "$0.750000 and 1 of unknown price"
    assert ">unknown<" in re.sub(r"\s+", "", page)


def test_what_people_write_is_never_html(staff: Client, api: Api) -> None:
    conversation = api.conversation(title="<script>alert(1)</script>")
    api.ask("<script>alert(2)</script>", conversation)
    message = Message.objects.filter(conversation_id=conversation, role="user").get()
    for path in (
        f"conversation/?q={conversation}",
        f"conversation/{conversation}/change/",
        f"message/{message.pk}/change/",
    ):
        page = staff.get(f"/admin/conversations/{path}").content.decode()
        assert "<script>alert(" not in page
        assert "&lt;script&gt;alert(" in page
    assert "alert(2)" not in staff.get("/admin/conversations/message/").content.decode()


@pytest.mark.parametrize("name", ["conversation", "message", "turn", "usage"])
def test_lists_load_no_transcripts_and_do_not_grow_in_queries(staff: Client, api: Api, name: str) -> None:
    counts = []
    for _ in range(2):
        api.ask("Hello")
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert staff.get(f"/admin/conversations/{name}/").status_code == 200
        counts.append(len(queries))
        selected = " ".join(query["sql"] for query in queries)
        assert '"conversations_message"."content"' not in selected
        assert "conversations_journal" not in selected
    assert counts[0] == counts[1] <= 20


def test_budgets_can_be_made_and_changed_and_show_how_much_is_used(staff: Client, spent: User) -> None:
    assert staff.get("/admin/conversations/budget/add/").status_code == 200
    staff.post("/admin/conversations/budget/add/", {"user": spent.pk, "group": "", "period": "month", "limit": "3"})
    budget = Budget.objects.get(user=spent)
    assert budget.spent == Decimal("0.75") + Decimal("0.0105")  # the unknown model's at the assumed price
    page = staff.get("/admin/conversations/budget/").content.decode()
    assert "25 % of $3.00" in page
    assert "width: 25." in page
    staff.post(
        "/admin/conversations/budget/",
        {
            "form-TOTAL_FORMS": 1,
            "form-INITIAL_FORMS": 1,
            "form-0-id": budget.pk,
            "form-0-limit": "0.5",
            "_save": "Save",
        },
        QUERY_STRING=f"q={spent.username}",
    )
    budget.refresh_from_db()
    assert budget.limit == Decimal("0.5")
    assert staff.get(f"/admin/conversations/budget/{budget.pk}/change/").status_code == 200
    both = {"user": spent.pk, "group": Group.objects.create(name=f"g-{uuid.uuid4()}").pk, "period": "day", "limit": "3"}
    assert staff.post("/admin/conversations/budget/add/", both).status_code == 200  # refused, with a complaint
    assert Budget.objects.filter(user=spent).count() == 1


def test_looks_at_the_numbers_and_jobs_are_shown(staff: Client, database: str) -> None:
    audit = Audit.objects.create(problems=["Something"], seconds=1)
    assert b"1 problems" in staff.get("/admin/conversations/audit/").content
    assert staff.get(f"/admin/conversations/audit/{audit.pk}/change/").status_code == 200
    assert staff.get("/admin/procrastinate/procrastinatejob/").status_code == 200
