"""The dashboard answers a finance person's questions within two clicks, with the right numbers."""

from __future__ import annotations

import csv
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from statistics import mean

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from playwright.sync_api import Page

from config.reviewers import GROUP
from conversations.models import Usage, User
from tests import browser, seeding
from tests.browser import SharedBrowser
from tests.clients import Api
from tests.processes import ServerProcess

CELLS = """(rows) => rows.map((row) => [...row.querySelectorAll("td")].map((cell) => {
    const amounts = cell.querySelectorAll("[data-cost]");
    return amounts.length === 1 ? amounts[0].dataset.cost : cell.innerText;
}))"""
Ledger = list[tuple[date, str, str, Decimal | None]]

DAY = timedelta(days=1)
TODAY = datetime.now(UTC).date()
JUMPED = TODAY - 3 * DAY
SPENT = Decimal(250)


@pytest.fixture(scope="module")
def group(database: str, uvicorn_server: ServerProcess) -> Group:
    """Provide a group with a hundred days of usage, one expensive day, and turns that failed today."""
    name = f"finance-{uuid.uuid4().hex[:8]}"
    seeding.seed(name, 1500, users=6, days=100)
    group = Group.objects.create(name=name)
    group.user_set.set(User.objects.filter(username__startswith=name))
    jumper = User.objects.get(username=f"{name}-6")
    noon = datetime.combine(JUMPED, time(12), UTC)
    row = {"model": "claude-fable-5-2", "source": "provider", "cost": SPENT, "created_at": noon}
    Usage.objects.create(user=jumper, username=jumper.username, **row)
    with Api(uvicorn_server.url, User.objects.get(username=f"{name}-1")) as api:
        for error in ("529", "529", "rate_limit_error"):
            prompt = f"Hello [[sandbox: error={error}; no_retry]]"
            api.post(f"conversations/{api.conversation()}/turns/?wait=true", {"content": prompt})
    return group


class Reviewer:
    """A reviewer at the dashboard whose clicks are counted."""

    def __init__(self, page: Page, dashboard: str, group: str, ledger: Ledger) -> None:
        self.page = page
        self.group = group
        self.clicks = 0
        self._dashboard = dashboard
        self._ledger = ledger

    def begin(self) -> None:
        """Open the dashboard, unless it is open, and reset the count of clicks."""
        if self.clicks or self.page.url != self._dashboard:
            self.page.goto(self._dashboard)
        self.clicks = 0

    def click(self, selector: str) -> None:
        """Click an element, and wait until the page that it leads to is loaded."""
        self.clicks += 1
        self.page.locator(selector).first.click()
        self.page.wait_for_load_state()

    def table(self, selector: str) -> list[list[str]]:
        """Return the text of a table's cells, amounts with all their digits."""
        return list(self.page.locator(f"{selector} tbody tr").evaluate_all(CELLS))

    def spent(self, since: date, until: date) -> dict[tuple[str, str], Decimal]:
        """Return the ledger's cost by user and model for the days from `since` to `until`."""
        spent: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for day, user, model, cost in self._ledger:
            if since <= day <= until:
                spent[user, model] += cost or 0
        return spent

    def spent_on(self, day: date) -> float:
        """Return the ledger's cost of one day."""
        return float(sum(self.spent(day, day).values()))


@pytest.fixture
def reviewer(group: Group, uvicorn_server: ServerProcess, shared_browser: SharedBrowser) -> Iterator[Reviewer]:
    """Provide a reviewer who is in the group of reviewers and has no other permissions."""
    rows = Usage.objects.filter(user__groups=group)
    ledger = list(rows.values_list("created_at__date", "username", "model", "cost"))
    user = User.objects.create_user(f"reviewer-{uuid.uuid4().hex[:8]}", is_staff=True)
    user.groups.add(Group.objects.get(name=GROUP))
    client = Client()
    client.force_login(user)
    session = client.cookies["sessionid"].value
    with shared_browser.used() as chromium, browser.unused_context(chromium).new_page() as page:
        page.set_default_timeout(60_000)
        page.set_viewport_size({"width": 1440, "height": 900})
        page.context.add_cookies([{"name": "sessionid", "value": session, "url": uvicorn_server.url}])
        yield Reviewer(page, f"{uvicorn_server.url}/admin/?group={group.pk}", group.name, ledger)


def who_spent_most_last_week_and_on_what(reviewer: Reviewer) -> None:
    reviewer.click("text=Last 7 days")
    [name, _, cost] = reviewer.table("#top-users")[0]
    spent = reviewer.spent(TODAY - 6 * DAY, TODAY)
    users: defaultdict[str, Decimal] = defaultdict(Decimal)
    for (user, _), amount in spent.items():
        users[user] += amount
    total, most = max((amount, user) for user, amount in users.items())
    assert (name.split()[0], Decimal(cost)) == (most, total)
    dearest = max((amount, model) for (user, model), amount in spent.items() if user == most)[1]
    assert f"{dearest} $" in name


def why_a_day_jumped(reviewer: Reviewer) -> None:
    jumped = (f"{reviewer.group}-6", "claude-fable-5-2")
    reviewer.click(f'#days tr:has-text("{JUMPED}") >> text=What changed')
    [user, model, difference, why, cost, before, *_] = reviewer.table("#changes")[0]
    assert (user, model) == jumped
    now, then = (reviewer.spent(day, day)[jumped] for day in (JUMPED, JUMPED - DAY))
    assert (Decimal(cost), Decimal(before), Decimal(difference)) == (now, then, now - then)
    assert Decimal(why) == now - then, "all of it has one reason"
    reviewer.click("text=The same day a week before")
    [user, model, difference, *_] = reviewer.table("#changes")[0]
    assert (user, model) == jumped
    assert Decimal(difference) == now - reviewer.spent(JUMPED - 7 * DAY, JUMPED - 7 * DAY)[jumped]


def a_file_of_a_month_by_user_and_model(reviewer: Reviewer) -> None:
    end = (TODAY.replace(day=1) - DAY).replace(day=1) - DAY
    reviewer.click(f"text={end:%b %Y}")
    with reviewer.page.expect_download() as download:
        reviewer.clicks += 1
        reviewer.page.locator("text=CSV by user and model").click()
    with download.value.path().open() as file:
        found = {(row["user"], row["model"]): Decimal(row["cost"]) for row in csv.DictReader(file)}
    assert len(found) > 6
    assert found == reviewer.spent(end.replace(day=1), end)


def what_failed_and_why(reviewer: Reviewer) -> None:
    table = {reason: (turns, requests) for reason, turns, requests in reviewer.table("#errors")}
    assert table["rate_limit_error"] == ("1", "0")
    assert table["overloaded_error"][0] == "2"
    assert reviewer.page.locator('[data-total="failed-turns"]').inner_text() == "3"
    reviewer.click('[data-total="failed-turns"] a')
    reasons = reviewer.page.locator("td.field-reason").all_inner_texts()
    assert sorted(reasons) == ["overloaded_error", "overloaded_error", "rate_limit_error"]


def what_the_month_will_cost(reviewer: Reviewer) -> None:
    tile = reviewer.page.locator('[data-total="forecast"] [data-cost]')
    month = TODAY.replace(day=1)
    so_far = float(sum(reviewer.spent(month, TODAY).values()))
    days = {TODAY - n * DAY: reviewer.spent_on(TODAY - n * DAY) for n in range(1, 29)}
    usual = [mean(cost for day, cost in days.items() if day.weekday() == weekday) for weekday in range(7)]
    level = mean(cost for day, cost in days.items() if day >= TODAY - 7 * DAY) / mean(usual)
    now = datetime.now(UTC)
    left = {TODAY: (datetime.combine(TODAY + DAY, time(), UTC) - now) / DAY}
    left |= {TODAY + n * DAY: 1.0 for n in range(1, 32) if (TODAY + n * DAY).month == TODAY.month}
    expected = so_far + sum(usual[day.weekday()] * level * part for day, part in left.items())
    assert float(str(tile.get_attribute("data-cost"))) == pytest.approx(expected, rel=0.02)


QUESTIONS: list[Callable[[Reviewer], None]] = [
    what_the_month_will_cost,
    who_spent_most_last_week_and_on_what,
    why_a_day_jumped,
    a_file_of_a_month_by_user_and_model,
    what_failed_and_why,
]


def test_a_question_takes_two_clicks_at_most(reviewer: Reviewer, subtests: pytest.Subtests) -> None:
    for question in QUESTIONS:
        with subtests.test(question.__name__):
            reviewer.begin()
            question(reviewer)
            assert reviewer.clicks <= 2
