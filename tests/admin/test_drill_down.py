"""From a period down to a single request, the rows of every level add up to the row that led to them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from conversations.models import Usage, User
from conversations.services.billing import ledger
from tests import seeding
from tests.admin import pages
from tests.clients import Api
from tests.processes import ServerProcess

REVIEW = "/admin/conversations/usage/review/"
SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}


def read(staff: Client, url: str) -> pages.Level:
    response = staff.get(url)
    assert response.status_code == 200, url
    return pages.level(response.content.decode())


def spend(api: Api) -> Api:
    """Create turns of every kind, an extraction, a correction and a request of unknown price; return the user."""
    conversation = api.conversation(title="Tea", tools=[{"type": "platform", "name": "add"}])
    first = api.ask("Hello", conversation)
    api.ask('Add [[sandbox: tool=add{"first": 1}]]', conversation)
    api.ask("Hello", model="claude-opus-5-5")
    api.post("extraction/extractions/?wait=true", {"schema": SCHEMA, "content": "Ada"})
    row = Usage.objects.get(turn=first["id"])
    ledger.correct(row=row, reason="test", usage={"input_tokens": 1000, "output_tokens": 1000})
    yesterday = datetime.now(UTC) - timedelta(days=1)
    Usage.objects.create(user=api.user, username=api.user.username, model="x", source="provider", created_at=yesterday)
    return api


@pytest.fixture(scope="module")
def spender(uvicorn_server: ServerProcess) -> Iterator[Api]:
    """Provide a user with these rows, shared by all tests of this file, which only read them."""
    with Api(uvicorn_server.url) as api:
        yield spend(api)


def test_every_level_adds_up_to_the_row_above(staff: Client, spender: Api) -> None:
    seen = []

    def go_down(url: str, above: pages.Row | None) -> None:
        level = read(staff, url)
        seen.append(level.name)
        if above:
            assert (level.cost, level.requests) == (above.cost, above.requests), url
        assert level.cost == sum(row.cost for row in level.rows), url
        assert level.requests == sum(row.requests for row in level.rows), url
        for row in level.rows:
            if row.url.startswith(REVIEW):
                go_down(row.url, row)
            else:
                assert staff.get(row.url).status_code == 200

    go_down(f"{REVIEW}?user={spender.user.pk}", None)
    assert set(seen) == {"day", "conversation", "turn", "request"}
    whole = read(staff, f"{REVIEW}?user={spender.user.username}")
    assert whole.cost == sum((row.cost or 0 for row in Usage.objects.filter(user=spender.user)), Decimal(0))


@pytest.mark.parametrize("by", ["day", "user", "model", "conversation"])
def test_a_period_can_be_divided_in_every_way(staff: Client, spender: Api, by: str) -> None:
    group = Group.objects.create(name=f"{spender.user.username}-{by}")
    group.user_set.add(spender.user)
    level = read(staff, f"{REVIEW}?group={group.pk}&by={by}")
    assert level.name == by
    assert level.cost == sum(row.cost for row in level.rows) > 0
    assert level.requests == sum(row.requests for row in level.rows)
    for row in level.rows:
        assert read(staff, row.url).cost == row.cost


def test_filters_stay_on_the_way(staff: Client, spender: Api) -> None:
    only = f"{REVIEW}?user={spender.user.pk}&model=claude-opus-5-5&purpose=turn&source=provider"
    level = read(staff, only)
    cost = Usage.objects.get(user=spender.user, model="claude-opus-5-5").cost
    while level.rows[0].url.startswith(REVIEW):
        assert level.cost == cost
        level = read(staff, level.rows[0].url)
    assert [row.cost for row in level.rows] == [cost]


def test_a_request_leads_to_its_transcript(staff: Client, api: Api) -> None:
    spender = spend(api)
    row = Usage.objects.filter(user=spender.user, turn__isnull=False).earliest("pk")
    page = staff.get(f"/admin/conversations/usage/{row.pk}/change/").content.decode()
    transcript = f"/admin/conversations/turn/{row.turn_id}/transcript/"
    assert transcript in page
    shown = staff.get(transcript).content.decode()
    assert "turn_start" in shown
    assert "turn_end" in shown
    assert [each["kind"] for each in spender.get("me/access-log/").json()["results"]] == ["turn"]


def test_what_is_gone_is_still_there(staff: Client, api: Api) -> None:
    spender = spend(api)
    user, cost = spender.user, read(staff, f"{REVIEW}?user={spender.user.pk}").cost
    id = user.pk
    user.delete()
    for name in (id, user.username):
        assert read(staff, f"{REVIEW}?user={name}").cost == cost
    labels = [row.label for row in read(staff, f"{REVIEW}?user={id}&by=conversation").rows]
    assert any(label.endswith("(deleted)") for label in labels)


@pytest.mark.parametrize(
    ("query", "complaint"),
    [
        ("user=nobody-of-this-name", "There is no user with the name or id nobody-of-this-name."),
        ("from=2026-05-01&to=2026-04-01", "The last day must not be before the first."),
        ("from=2020-01-01&to=2026-01-01", "A period may have at most 366 days."),
        ("from=yesterday", "Enter a valid date."),
        ("from=0001-01-01&to=0001-01-01", "Ensure this value is greater than or equal to"),
        ("to=9999-12-31", "Ensure this value is less than or equal to"),
        ("model=unheard-of", "Select a valid choice."),
        ("group=9999999", "Select a valid choice."),
    ],
)
def test_a_filter_that_says_nothing_is_complained_of(staff: Client, query: str, complaint: str) -> None:
    for path in (REVIEW, "/admin/", "/admin/conversations/usage/"):
        page = staff.get(f"{path}?{query}")
        assert page.status_code == 200, path
        assert complaint in page.content.decode(), path
        assert pages.total(page.content.decode(), "requests") == "0"


@pytest.mark.parametrize("query", ["by=turn", "by=x", "page=0", "page=-1", "page=٣", "page=99999999", "conversation=x"])
def test_anything_in_an_address_is_answered(staff: Client, query: str) -> None:
    assert staff.get(f"{REVIEW}?{query}").status_code == 200


def test_only_those_who_may_see_the_ledger_see_it(spender: Api) -> None:
    client = Client()
    colleague = User.objects.create_user(f"colleague-{spender.user.username}", is_staff=True)
    client.force_login(colleague)
    assert client.get(REVIEW).status_code == 403
    assert client.get("/admin/conversations/usage/requests/").status_code == 403
    front = client.get("/admin/")
    assert front.status_code == 200
    assert "chart-cost" not in front.content.decode()
    colleague.user_permissions.add(Permission.objects.get(codename="view_usage"))
    client.force_login(User.objects.get(pk=colleague.pk))
    assert client.get(REVIEW).status_code == 200
    assert "chart-cost" in client.get("/admin/").content.decode()
    assert Client().get(REVIEW).status_code == 302


def test_pages_ask_for_a_bounded_number_of_things(staff: Client, database: str) -> None:
    seeding.seed("bounded", 1500, users=3, days=5)
    group = Group.objects.create(name="bounded")
    group.user_set.set(User.objects.filter(username__startswith="bounded-"))
    level = read(staff, f"{REVIEW}?group={group.pk}")
    paths = [f"/admin/?group={group.pk}", f"/admin/conversations/usage/?group={group.pk}", f"{REVIEW}?by=conversation"]
    while level.rows[0].url.startswith(REVIEW):
        paths.append(level.rows[0].url)
        level = read(staff, level.rows[0].url)
    for path in paths:
        with CaptureQueriesContext(connection) as queries:
            assert staff.get(path).status_code == 200
        assert len(queries) <= 25, path
