"""A monthly report is a PDF with the dashboard's numbers, in every script, of the rows that its reader may see."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import CommandError, call_command
from django.test import Client

from conversations.admin.review import report, report_pdf
from conversations.admin.review.scope import Scope
from conversations.models import Budget, Conversation, DailyUsage, Usage, User
from tests.admin.pages import total

REPORT = "/admin/conversations/usage/report/"
MAY = datetime(2025, 5, 20, 12, tzinfo=UTC)
NAMES = ("Zoë Müller", "王小明", "김철수", "田中花子", "محمد علي", "שרה", "สมชาย", "தமிழ் 😀")


def text_of(pdf: bytes) -> str:
    """Return the text of a PDF without white space."""
    with pypdfium2.PdfDocument(pdf) as document:
        pages = []
        for number in range(len(document)):
            page = document[number]
            part = page.get_textpage()
            pages.append(part.get_text_range())
            part.close()
            page.close()
        return re.sub(r"\s+", " ", " ".join(pages))


def pictures_in(pdf: bytes) -> int:
    return pdf.count(b"/Subtype /Image")


def book(user: User, at: datetime, cost: str | None, **columns: Any) -> None:
    columns = {"model": "claude-opus-5-5", "input_tokens": 10, **columns}
    Usage.objects.create(
        user=user,
        username=user.username,
        source="provider",
        cost=cost if cost is None else Decimal(cost),
        created_at=at,
        **columns,
    )


@pytest.fixture(scope="module")
def team(database: str) -> tuple[Group, list[User]]:
    """Provide a group whose members have names in several scripts, and usage in two months."""
    mark = uuid.uuid4().hex[:6]
    users = [User.objects.create(username=f"{name} {mark}") for name in NAMES]
    group = Group.objects.create(name=f"team-{mark}")
    group.user_set.set(users)
    dear = Conversation.objects.create(owner=users[0], title="Okapi plan")
    for number, user in enumerate(users):
        book(user, MAY, f"1.{number:012d}", conversation=dear if number == 0 else None)
        book(user, MAY - timedelta(days=31), "0.5", model="claude-haiku-5-5")
    book(users[0], MAY, None, model="local")
    return group, users


@pytest.fixture(scope="module")
def query(team: tuple[Group, list[User]]) -> dict[str, str]:
    """Provide the query parameters of the team's report for May."""
    return {"group": str(team[0].pk), "from": "2025-05-01", "to": "2025-05-31"}


@pytest.fixture(scope="module")
def answer(query: dict[str, str]) -> Any:
    """Provide the response to a request for the report by a superuser."""
    client = Client()
    client.force_login(User.objects.create_superuser(f"reviewer-{uuid.uuid4().hex[:8]}"))
    return client.get(REPORT, query)


def test_it_has_the_dashboards_sums_to_the_last_digit(
    staff: Client, team: tuple[Group, list[User]], query: dict[str, str], answer: Any
) -> None:
    _, users = team
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="usage_2025-05.pdf"'
    said, page = text_of(answer.content), staff.get("/admin/", query).content.decode()
    [exact] = re.findall(r'data-total="cost">\s*<span[^>]*data-cost="([^"]+)"', page)
    days = DailyUsage.objects.filter(user__in=users, day__year=2025, day__month=5)
    assert Decimal(exact) == sum(days.values_list("cost", flat=True))
    for shown in (
        f"{exact} USD exactly",
        "Usage in May 2025",
        total(page, "requests"),
        "before: $4.00",
        "1 of unknown",
    ):
        assert shown in said
    assert "At this rate" not in said
    assert "Budgets" not in said
    assert pictures_in(answer.content) == 0, "charts are vectors"


def test_names_are_in_it_in_every_script(answer: Any) -> None:
    said = text_of(answer.content)
    for name in ("Zoë Müller", "王小明", "김철수", "田中花子", "สมชาย"):
        assert name in said
    assert set("محمدعلي") <= set(said) or set("ﻣﺤﻤﺪ") & set(said)
    assert "◊ stands for a character" in said


def test_titles_and_budgets_are_for_those_who_may_see_them(team: tuple[Group, list[User]]) -> None:
    _, users = team
    dear = Conversation.objects.get(owner=users[0])
    book(users[0], datetime.now(UTC), "2", conversation=dear)
    Budget.objects.create(user=users[0], limit=Decimal(50))
    member = User.objects.create_user(f"finance-{uuid.uuid4().hex[:8]}", is_staff=True)
    client = Client()
    client.force_login(member)
    of_one = {"user": str(users[0].pk)}  # whose name is in the font that is there at once
    assert client.get(REPORT, of_one).status_code == 403
    member.user_permissions.add(Permission.objects.get(codename="view_usage"))
    for titles in (False, True):
        if titles:
            member.user_permissions.add(Permission.objects.get(codename="view_conversation"))
        client.force_login(User.objects.get(pk=member.pk))
        said = text_of(client.get(REPORT, of_one).content)
        assert ("Okapi plan" in said) == titles
        assert (str(dear.pk)[:8] in said) != titles
        assert "Budgets" not in said


def test_that_of_the_present_month_has_a_forecast_and_budgets(team: tuple[Group, list[User]], reviewer: User) -> None:
    group, users = team
    now = datetime.now(UTC)
    for days in range(29):
        book(users[0], now - timedelta(days=days), "3" if days else "40")
    Budget.objects.create(group=group, limit=Decimal(70))
    month = report.Month.of(Scope(now.date(), now.date(), group=group), now.date(), now.date())
    found = report.read(month, report.Reader(reviewer.username, titles=True, budgets=True), now)
    said = text_of(report_pdf.drawn(found))
    for shown in ("At this rate", "and the month is not over", "budget $70.00", "Budgets used most"):
        assert shown in said
    assert [each.user for each in found.unusual] == [users[0].pk]
    assert "times their usual week" in said


def test_it_takes_as_many_statements_however_much_there_is(
    team: tuple[Group, list[User]], django_assert_max_num_queries: Any
) -> None:
    now = datetime.now(UTC)
    month = report.Month.of(Scope(now.date(), now.date()), MAY.date(), now.date())
    with django_assert_max_num_queries(16):
        report.read(month, report.Reader("somebody", titles=True, budgets=True), now)


@pytest.mark.parametrize("month", ["2024-02", "2026-02"])
def test_a_month_without_anything_has_a_report(database: str, tmp_path: Path, month: str) -> None:
    file = tmp_path / "report.pdf"
    call_command("usage_report", month, output=file)
    assert "Usage in February" in text_of(file.read_bytes())


def test_the_command_refuses_what_is_no_month_of_the_past(database: str) -> None:
    for wrong in ("2026-13", "May", "2097-01", "0001-01"):
        with pytest.raises(CommandError):
            call_command("usage_report", wrong)


def test_filters_that_name_nobody_lead_back(staff: Client) -> None:
    assert staff.get(REPORT, {"user": "nobody of this name"}).headers["Location"] == "/admin/"
