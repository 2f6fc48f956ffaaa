"""Exports of sums and requests as CSV or XLSX. No text of users is a formula in them.

Requests are read from the ledger in batches, and CSV is streamed, so that neither a connection nor memory is held for
the whole file.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from django.db.models import Q
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from conversations.admin.review.changes import Comparison
from conversations.admin.review.effects import Effects
from conversations.admin.review.levels import Level
from conversations.admin.review.scope import Scope
from conversations.admin.review.totals import CLASSES
from conversations.database import in_database
from conversations.tables import KINDS, Cells, Workbook, csv_rows

BATCH = 2000
"""Requests that are read by one statement."""
PART = 1 << 16
"""Bytes of a workbook that are sent at once."""
WORKBOOK = 100_000
"""The maximal number of requests in a workbook, which can't be sent before it is complete."""

EFFECTS = tuple(each.name for each in fields(Effects))
SUMS = ("requests", *CLASSES, "cost", "unpriced")
REQUESTS = (
    "id",
    "created_at",
    "user_id",
    "username",
    "purpose",
    "conversation_id",
    "turn_id",
    "model",
    "request_id",
    "requests",
    *CLASSES,
    "thinking_tokens",
    "web_search_requests",
    "web_fetch_requests",
    "service_tier",
    "speed",
    "inference_geo",
    "batch",
    "cost",
    "prices",
    "source",
    "stop_reason",
    "error_type",
    "duration",
    "time_to_first_delta",
    "corrects_id",
    "reason",
)


def export_sums(level: Level[Any], scope: Scope, kind: str) -> HttpResponseBase:
    """Return all rows of a level as a file."""
    label, note = level.columns
    header: Cells = [label or level.name, note, *SUMS]
    found = level.shown(scope, list(level.rows(scope)))
    rows = [[row.label, row.note, *(getattr(row.sums, name) for name in SUMS)] for row in found]
    return _table(header, rows, f"{level.name}s {scope.span[0]} {scope.span[1]}", kind)


def export_changes(found: Comparison, kind: str) -> HttpResponseBase:
    """Return all differences between two periods as a file, each with its reasons."""
    called = [each.lower() for each in found.division.called]
    amounts = ("requests_now", "requests_before", "now", "before", "difference")
    header: Cells = [*called, *amounts, *(f"by_{name}" for name in EFFECTS)]
    rows: list[Cells] = [
        [
            *(each.label, each.note)[: len(called)],
            *(each.now.requests, each.before.requests, each.now.cost, each.before.cost, each.difference),
            *(getattr(each.why, name) for name in EFFECTS),
        ]
        for each in found.all()
    ]
    (first, last), (since, _) = found.scope.span, found.before.span
    return _table(header, rows, f"changes {first} {last} since {since}", kind)


def _table(header: Cells, rows: list[Cells], name: str, kind: str) -> HttpResponseBase:
    if kind == "csv":
        return _attached(HttpResponse(csv_rows([header, *rows])), name, kind)
    with tempfile.TemporaryDirectory() as folder:
        workbook = Workbook(Path(folder))
        workbook.table(name, header).write(rows)
        return _attached(HttpResponse(workbook.close().read_bytes()), name, kind)


def export_requests(scope: Scope, kind: str) -> HttpResponseBase:
    """Return the ledger's rows of a scope as a file, newest first."""
    body = _csv_of_requests(scope) if kind == "csv" else _workbook_of_requests(scope)
    return _attached(StreamingHttpResponse(body), f"requests {scope.span[0]} {scope.span[1]}", kind)


def too_many(scope: Scope, kind: str) -> bool:
    """Return whether a scope has more requests than a file of this kind can hold."""
    return kind == "xlsx" and scope.rows()[: WORKBOOK + 1].count() > WORKBOOK


def _attached(response: HttpResponseBase, name: str, kind: str) -> HttpResponseBase:
    response["Content-Type"] = KINDS[kind]
    response["Content-Disposition"] = f'attachment; filename="{name.replace(" ", "_")}.{kind}"'
    return response


async def _csv_of_requests(scope: Scope) -> AsyncIterator[bytes]:
    yield csv_rows([list(REQUESTS)])
    async for batch in _batches(scope):
        yield csv_rows(batch)


async def _workbook_of_requests(scope: Scope) -> AsyncIterator[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        workbook = Workbook(Path(folder))
        table = workbook.table("requests", list(REQUESTS))
        async for batch in _batches(scope):
            await asyncio.to_thread(table.write, batch)
        whole = await asyncio.to_thread(workbook.close)
        with whole.open("rb") as file:
            while part := await asyncio.to_thread(file.read, PART):
                yield part


async def _batches(scope: Scope) -> AsyncIterator[list[Cells]]:
    last: tuple[object, object] | None = None
    while batch := await in_database(_batch, scope, last):
        yield batch
        last = (batch[-1][REQUESTS.index("created_at")], batch[-1][REQUESTS.index("id")])


def _batch(scope: Scope, last: tuple[object, object] | None) -> list[Cells]:
    rows = scope.rows().order_by("-created_at", "-pk")
    if last is not None:
        at, id = last
        rows = rows.filter(Q(created_at__lt=at) | Q(created_at=at, pk__lt=id), created_at__lte=at)
    return [list(row) for row in rows.values_list(*REQUESTS)[:BATCH]]
