"""A reviewer saves a page's filters under a name, for themselves or for all, and can share the short address."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, date, datetime, timedelta

import pytest
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.auth.models import Group
from django.test import Client

from config.reviewers import GROUP
from conversations.models import SavedFilter, Usage, User

SAVE = "/admin/conversations/savedfilter/save/"
LIST = "/admin/conversations/savedfilter/"
CHANGES = "/admin/conversations/usage/changes/"


def browser(*, member: bool) -> tuple[User, Client]:
    """Create a staff user, in the group of reviewers or not; return the user and a client logged in as them."""
    user = User.objects.create_user(f"staff-{uuid.uuid4().hex[:8]}", is_staff=True)
    if member:
        user.groups.add(Group.objects.get(name=GROUP))
    client = Client()
    client.force_login(user)
    return user, client


@pytest.fixture
def owner(database: str) -> tuple[User, Client]:
    """Provide a reviewer who has used the model that the filters name, and their client."""
    user, client = browser(member=True)
    Usage.objects.create(user=user, username=user.username, model="claude-opus-5-5", source="provider", cost=0)
    return user, client


def save(client: Client, **fields: str) -> str:
    """Save filters; return the address of the redirect."""
    given = {"page": "changes", "query": "model=claude-opus-5-5&from=2026-03-01&to=2026-03-07&by=model", **fields}
    answer = client.post(SAVE, given)
    assert answer.status_code == 302
    return str(answer.headers["Location"])


def address_of(user: User, name: str) -> str:
    return f"/admin/saved/{SavedFilter.objects.get(owner=user, name=name).key}/"


def test_a_saved_filter_shows_the_page_as_it_was(owner: tuple[User, Client]) -> None:
    user, client = owner
    where = save(client, name="Opus in March")
    assert client.get(address_of(user, "Opus in March")).headers["Location"] == where
    assert where.startswith(CHANGES)
    page = client.get(where).content.decode()
    assert 'data-division="model"' in page
    assert re.search(r'<option value="claude-opus-5-5"\s+selected', page) or "claude-opus-5-5" in where
    assert 'value="2026-03-07"' in page
    assert "Opus in March</a>" in page


def test_a_period_that_moves_on_is_todays_whenever_it_is_opened(owner: tuple[User, Client]) -> None:
    user, client = owner
    save(client, name="Week", period="7-days", page="dashboard")
    today = datetime.now(UTC).date()
    where = client.get(address_of(user, "Week")).headers["Location"]
    assert f"from={today - timedelta(days=6)}" in where
    assert f"to={today}" in where
    assert "2026-03-01" not in SavedFilter.objects.get(owner=user).query
    page = client.get("/admin/", {"from": (today - timedelta(days=6)).isoformat(), "to": today.isoformat()})
    assert re.search(r'<option value="7-days"\s+selected', page.content.decode()), "it is offered where it is shown"


def test_it_is_its_owners_until_it_is_shared(owner: tuple[User, Client]) -> None:
    user, client = owner
    _, other = browser(member=True)
    save(client, name="Mine")
    address = address_of(user, "Mine")
    assert other.get(address).status_code == 404
    assert "Mine" not in other.get(LIST).content.decode()
    save(client, name="Mine", shared="on")
    assert address_of(user, "Mine") == address, "saving it again keeps its address"
    assert other.get(address).status_code == 302
    assert "Mine</a>" in other.get("/admin/").content.decode()
    pk = SavedFilter.objects.get(owner=user).pk
    assert other.post(f"{LIST}{pk}/change/", {"name": "Theirs"}).status_code == 403
    assert other.post(f"{LIST}{pk}/delete/", {"post": "yes"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": str(pk), "post": "yes"}
    other.post(LIST, chosen)
    assert SavedFilter.objects.filter(pk=pk, name="Mine").exists()


def test_it_is_renamed_and_deleted_and_the_history_tells(owner: tuple[User, Client]) -> None:
    user, client = owner
    for name in ("First", "Second"):
        save(client, name=name)
    pk = SavedFilter.objects.get(owner=user, name="First").pk
    answer = client.post(f"{LIST}{pk}/change/", {"name": "Second"})
    assert "Another one of your filters has this name" in answer.content.decode()
    assert client.post(f"{LIST}{pk}/change/", {"name": "Third", "shared": "on"}).status_code == 302
    assert SavedFilter.objects.get(pk=pk).shared
    assert client.post(f"{LIST}{pk}/delete/", {"post": "yes"}).status_code == 302
    assert list(SavedFilter.objects.filter(owner=user).values_list("name", flat=True)) == ["Second"]
    noted = LogEntry.objects.filter(user=user, object_id=str(pk)).order_by("pk")
    assert list(noted.values_list("action_flag", flat=True)) == [ADDITION, CHANGE, DELETION]


@pytest.mark.parametrize(
    "query",
    ["text__startswith=Zyzzyva", "user__password__startswith=argon2", "by=secret&against=x&content__contains=y"],
)
def test_nothing_but_the_pages_own_filters_is_kept(owner: tuple[User, Client], query: str) -> None:
    user, client = owner
    save(client, name="Odd", query=query)
    kept = SavedFilter.objects.get(owner=user).query
    assert re.fullmatch(r"from=\d{4}-\d\d-\d\d&to=\d{4}-\d\d-\d\d", kept)


@pytest.mark.parametrize(
    "fields",
    [
        {"name": ""},
        {"name": "x" * 81},
        {"name": "a", "page": "http://elsewhere.example/"},
        {"name": "a", "query": "user=nobody-of-this-name"},
        {"name": "a", "period": "for-ever"},
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_saved(owner: tuple[User, Client], fields: dict[str, str]) -> None:
    user, client = owner
    assert save(client, **{"name": "a", **fields}) == "/admin/"
    assert not SavedFilter.objects.filter(owner=user).exists()


def test_who_may_not_see_the_usage_sees_no_filters(owner: tuple[User, Client]) -> None:
    user, client = owner
    save(client, name="Shared", shared="on")
    _, stranger = browser(member=False)
    assert stranger.post(SAVE, {"name": "x", "page": "dashboard"}).status_code == 403
    assert stranger.get(LIST).status_code == 403
    where = stranger.get(address_of(user, "Shared")).headers["Location"]
    assert stranger.get(where).status_code == 403
    assert Client().get(address_of(user, "Shared")).headers["Location"].startswith("/admin/login/")


def test_a_filter_names_users_by_id_and_not_by_name(owner: tuple[User, Client]) -> None:
    """No name of a deleted account stays in a filter."""
    user, client = owner
    save(client, name="Own", query=f"user={user.username}&to={date(2026, 3, 1)}")
    kept = SavedFilter.objects.get(owner=user).query
    assert user.username not in kept
    assert f"user={user.pk}" in kept
