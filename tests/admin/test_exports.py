"""Exports of sums and of requests hold all rows that the filters select, exact values, and no formulae."""

from __future__ import annotations

import csv
import io
import uuid
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx2
import openpyxl
import pytest
from django.test import Client

from conversations.admin.review import export
from conversations.models import Usage, User
from tests import seeding

REVIEW = "/admin/conversations/usage/review/"
REQUESTS = "/admin/conversations/usage/requests/"
FORMULAE = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "=cmd|' /C calc'!A0"]


@pytest.fixture
def spender(database: str) -> User:
    user = User.objects.create_user(f"spender-{uuid.uuid4().hex[:8]}")
    for number, text in enumerate(FORMULAE):
        Usage.objects.create(
            user=user,
            username=user.username,
            model=text,
            request_id=text,
            reason=text,
            source="provider",
            input_tokens=number,
            cost=Decimal("0.000000000001") if number else None,
            duration=timedelta(seconds=1.5),
            prices={"input": "3"},
        )
    return user


def rows(response: httpx2.Response) -> list[dict[str, Any]]:
    """Parse a CSV or XLSX response into dictionaries, and check that no cell is a formula."""
    assert response.status_code == 200, response.text
    assert response.headers["content-disposition"].startswith("attachment; filename=")
    if response.headers["content-type"].startswith("text/csv"):
        return list(csv.DictReader(io.StringIO(response.text, newline="")))
    sheet = openpyxl.load_workbook(io.BytesIO(response.content)).active
    assert sheet is not None
    assert all(cell.data_type != "f" for row in sheet for cell in row)
    header, *found = sheet.iter_rows(values_only=True)
    return [dict(zip(map(str, header), row, strict=True)) for row in found]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_requests_are_there_with_all_their_columns(download: httpx2.Client, spender: User, kind: str) -> None:
    found = rows(download.get(f"{REQUESTS}?user={spender.pk}&export={kind}"))
    assert set(found[0]) == set(export.REQUESTS)
    ledger = Usage.objects.filter(user=spender).order_by("-created_at", "-pk")
    assert [row["id"] for row in found] == [str(row.pk) for row in ledger]
    assert [int(row["input_tokens"]) for row in found] == [row.input_tokens for row in ledger]
    assert {row["username"] for row in found} == {spender.username}
    assert {float(row["duration"]) for row in found} == {1.5}
    assert datetime.fromisoformat(found[0]["created_at"]) == ledger[0].created_at
    if kind == "csv":
        assert [row["cost"] for row in found] == ["0.000000000001"] * 6 + [""]
    else:
        assert [row["cost"] for row in found] == [pytest.approx(1e-12)] * 6 + [None]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize("path", [f"{REQUESTS}?", f"{REVIEW}?by=model&"])
def test_nothing_is_a_formula(download: httpx2.Client, spender: User, kind: str, path: str) -> None:
    found = rows(download.get(f"{path}user={spender.pk}&export={kind}"))
    texts = [text for row in found for text in row.values() if isinstance(text, str) and text]
    assert sum(text.startswith("'") for text in texts) >= len(FORMULAE)
    assert not [text for text in texts if text.startswith(("=", "+", "-", "@", "\t", "\r"))]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_sums_are_those_of_the_page(download: httpx2.Client, spender: User, kind: str) -> None:
    [row] = rows(download.get(f"{REVIEW}?user={spender.pk}&by=user&export={kind}"))
    assert row["user"] == spender.username
    assert (int(row["requests"]), int(row["unpriced"])) == (7, 1)
    assert int(row["input_tokens"]) == sum(range(7))
    assert Decimal(str(row["cost"])) == Decimal("0.000000000006")


def test_more_than_a_batch_is_exported_once_each(download: httpx2.Client, database: str) -> None:
    name = f"many-{uuid.uuid4().hex[:8]}"
    seeding.seed(name, 3 * export.BATCH, users=1, days=20, requests=1)
    found = rows(download.get(f"{REQUESTS}?user={name}-1&export=csv"))
    ids = [row["id"] for row in found]
    assert len(set(ids)) == len(ids) == Usage.objects.filter(username=f"{name}-1").count() > export.BATCH
    assert [row["created_at"] for row in found] == sorted((row["created_at"] for row in found), reverse=True)


def test_a_file_of_nothing_has_a_header(download: httpx2.Client, staff: Client) -> None:
    user = User.objects.create_user(f"idle-{uuid.uuid4().hex[:8]}")
    assert download.get(f"{REQUESTS}?user={user.username}&export=csv").text.startswith("id,created_at,")
    assert rows(download.get(f"{REQUESTS}?user={user.username}&export=xlsx")) == []


def test_a_workbook_that_would_be_too_large_is_refused_in_words(
    staff: Client, spender: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "WORKBOOK", len(FORMULAE) - 1)
    page = staff.get(f"{REQUESTS}?user={spender.pk}&export=xlsx", follow=True)
    assert page.redirect_chain
    assert "A workbook can have at most 6 requests: choose CSV, or a shorter period." in page.content.decode()
