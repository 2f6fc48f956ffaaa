"""Reviewers see what failed and why, including requests that Claude never began to answer."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from django.test import Client
from django.utils import timezone

from conversations.models import Turn, Usage
from tests.admin.pages import listed, total
from tests.clients import Api

NEVER_BEGUN = "Hello [[sandbox: error={}; no_retry]]"


def fail(api: Api, prompt: str) -> None:
    assert api.post(f"conversations/{api.conversation()}/turns/?wait=true", {"content": prompt}).is_error


def page(staff: Client, url: str) -> str:
    response = staff.get(url)
    assert response.status_code == 200, url
    return response.content.decode()


def reasons(dashboard: str) -> dict[str, list[tuple[str, int]]]:
    """Return the reasons of failed turns, then of failed requests, each with its links and numbers."""
    panel = dashboard[dashboard.index('id="errors"') :]
    found = {}
    for reason, cells in re.findall(r'<tr><td class="label">(.*?)</td>(.*?)</tr>', panel):
        numbers = re.findall(r'<td class="number">(?:<a href="([^"]*)">)?(\d+)', cells)
        found[reason] = [(unescape(url), int(number)) for url, number in numbers]
    return found


@pytest.fixture
def failing(api: Api) -> Api:
    """Provide a user with five failed turns, one interrupted turn and one completed turn."""
    for error in ("529", "529", "rate_limit_error"):
        fail(api, NEVER_BEGUN.format(error))
    fail(api, "Hello [[sandbox: words=9; error_after=3:api_error]]")
    fail(api, "Hello [[sandbox: words=9; cut_after=3]]")
    api.ask("Hello")
    interrupted = api.ask("Hello")["id"]
    Turn.objects.filter(pk=interrupted).update(status=Turn.Status.INTERRUPTED)
    return api


def test_failed_turns_are_counted_by_reason_and_lead_to_the_turns(staff: Client, failing: Api) -> None:
    dashboard = page(staff, f"/admin/?user={failing.user.pk}")
    assert total(dashboard, "failed-turns") == "6"
    found = reasons(dashboard)
    assert {reason: (turns, requests) for reason, [(_, turns), (_, requests)] in found.items()} == {
        "overloaded_error": (2, 0),
        "rate_limit_error": (1, 0),
        "api_error": (2, 2),
        "interrupted": (1, 0),
    }
    for reason, [(url, number), _] in found.items():
        ids = set(re.findall(r"/turn/([0-9a-f-]{36})/change/", page(staff, url)))
        there = Turn.objects.filter(pk__in=ids, user=failing.user)
        assert there.count() == len(ids) == number, reason
        assert {turn.error["type"] if turn.error else turn.status for turn in there} == {reason}
    ids = set(re.findall(r"/usage/([0-9a-f-]{36})/change/", page(staff, found["api_error"][1][0])))
    assert ids == {str(row.pk) for row in Usage.objects.filter(user=failing.user, error_type="api_error")}


def test_lists_are_filtered_by_error(staff: Client, failing: Api) -> None:
    of_user = f"user={failing.user.pk}"
    assert listed(page(staff, f"/admin/conversations/turn/?{of_user}")) == "7 turns"
    assert listed(page(staff, f"/admin/conversations/turn/?{of_user}&error=any")) == "6 turns"
    assert listed(page(staff, f"/admin/conversations/turn/?{of_user}&error=unheard_of")) == "0 turns"
    ledger = page(staff, f"/admin/conversations/usage/?{of_user}&error=api_error")
    assert total(ledger, "requests") == "2"
    assert "rate_limit_error" in ledger  # offered, though no request of the ledger has it
    for by in ("day", "user", "model", "user-model", "conversation"):
        level = page(staff, f"/admin/conversations/usage/review/?{of_user}&error=any&by={by}")
        assert total(level, "requests") == "2", by


def test_failures_are_of_the_day_on_which_they_failed(staff: Client, failing: Api) -> None:
    now = timezone.now()
    Turn.objects.filter(user=failing.user, status=Turn.Status.FAILED).update(finished_at=now - timedelta(days=3))
    today, then = (day.date() for day in (now, now - timedelta(days=3)))
    of_user = f"user={failing.user.pk}"
    assert total(page(staff, f"/admin/?{of_user}&from={today}&to={today}"), "failed-turns") == "1"
    before = page(staff, f"/admin/?{of_user}&from={then}&to={then}")
    assert total(before, "failed-turns") == "5"
    of_model = page(staff, f"/admin/?{of_user}&from={then}&to={then}&model=claude-opus-5-5")
    assert total(of_model, "failed-turns") == "0"


def test_extractions_are_filtered_by_error(staff: Client, api: Api) -> None:
    schema = {"type": "object", "properties": {"name": {"type": "string"}}}
    for content in ("Ada", NEVER_BEGUN.format("529")):
        api.post("extraction/extractions/?wait=true", {"schema": schema, "content": content})
    page_of_list = page(staff, f"/admin/extraction/extraction/?q={api.user.username}&error=overloaded_error")
    assert listed(page_of_list) == "1 extraction"
