"""The group of reviewers can review usage, and the sidebar shows what each of the staff may do."""

from __future__ import annotations

import re
import uuid

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.test import Client

from config.reviewers import GROUP
from conversations.models import User
from tests.clients import Api

HEADINGS = ["Usage", "Budgets and prices", "People", "Conversations", "Extraction", "Health"]
OPENED = (200, 302)
"""The review queue redirects to the first extraction in it."""


def sidebar(page: str) -> tuple[list[str], list[str]]:
    """Return the headings and the links of the sidebar."""
    nav = page[
        page.index('id="nav-sidebar-apps"') : page.index("</ol>", page.rindex("material-symbols-outlined md-18"))
    ]
    headings = [found.strip() for found in re.findall(r"<h2[^>]*>\s*([^<]+)", nav)]
    return headings, re.findall(r'<a href="([^"]+)"', nav)


@pytest.fixture
def member(database: str) -> Client:
    """Provide a client logged in as a staff user who is in the group of reviewers and has no other permissions."""
    user = User.objects.create_user(f"finance-{uuid.uuid4().hex[:8]}", is_staff=True)
    user.groups.add(Group.objects.get(name=GROUP))
    client = Client()
    client.force_login(user)
    return client


def test_the_group_may_look_at_everything_that_is_reviewed(member: Client, api: Api) -> None:
    turn = api.ask("Hello")
    page = member.get("/admin/").content.decode()
    assert 'data-total="cost"' in page
    headings, links = sidebar(page)
    assert headings == HEADINGS
    for link in links:
        assert member.get(link).status_code in OPENED, link
    assert member.get(f"/admin/conversations/turn/{turn['id']}/change/").status_code == 200
    assert not any("procrastinate" in link or "token" in link for link in links)


def test_the_group_changes_nothing(member: Client, api: Api) -> None:
    for name in ("budget", "price", "user"):
        assert member.get(f"/admin/conversations/{name}/add/").status_code == 403
    before = api.user.username
    member.post(f"/admin/conversations/user/{api.user.pk}/change/", {"username": "taken"})
    assert User.objects.get(pk=api.user.pk).username == before


def test_what_the_staff_made_of_the_group_is_kept(database: str) -> None:
    group = Group.objects.get(name=GROUP)
    removed = group.permissions.get(codename="view_message")
    group.permissions.remove(removed)
    call_command("migrate", verbosity=0)
    assert not group.permissions.filter(pk=removed.pk).exists()
    group.permissions.add(removed)


def test_nobody_sees_entries_that_they_may_not_open(database: str) -> None:
    client = Client()
    client.force_login(User.objects.create_user(f"staff-{uuid.uuid4().hex[:8]}", is_staff=True))
    assert (
        "<h2" not in client.get("/admin/").content.decode().partition('id="nav-sidebar-apps"')[2].partition("</ol>")[0]
    )


def test_superusers_see_jobs_and_tokens_too(staff: Client) -> None:
    headings, links = sidebar(staff.get("/admin/").content.decode())
    assert headings == HEADINGS
    only_theirs = [link for link in links if "procrastinate" in link or "token" in link]
    assert len(only_theirs) == 2
    for link in only_theirs:
        assert staff.get(link).status_code in OPENED, link


@pytest.mark.parametrize(
    ("path", "open"),
    [
        ("/admin/", "Dashboard"),
        ("/admin/conversations/usage/", "Requests"),
        ("/admin/conversations/usage/changes/", "What changed"),
        ("/admin/conversations/usage/review/?by=user-model", "Users and models"),
        ("/admin/conversations/turn/", "Turns"),
        ("/admin/conversations/turn/?error=any", "Failed turns"),
    ],
)
def test_the_sidebar_says_where_one_is(staff: Client, path: str, open: str) -> None:
    page = staff.get(path).content.decode()
    active = re.findall(r'<a href="[^"]+" class="[^"]* active">.*?<span>([^<]+)</span>', page, re.DOTALL)
    assert active == [open]
