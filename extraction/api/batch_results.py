"""Downloads of a batch's results, streamed with bounded memory and without holding a connection."""

from __future__ import annotations

import asyncio
import tempfile
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

from django.http import StreamingHttpResponse
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request

from conversations.api.queries import query_of
from conversations.database import in_database
from conversations.errors import InvalidRequest
from conversations.tables import KINDS
from extraction.batches.results import layout_of, part
from extraction.models import Batch
from extraction.results.columns import Layout
from extraction.results.result import Result
from extraction.results.writers import Csv, Xlsx, json_lines

TYPES = {"jsonl": "application/x-ndjson", **KINDS}
PART = 1 << 16  # bytes of a workbook that are sent at once


class _FileRenderer(BaseRenderer):
    """Registers a file's media type for content negotiation; errors are rendered as JSON."""

    render = JSONRenderer.render


class JsonLinesRenderer(_FileRenderer):
    media_type = "application/x-ndjson"
    format = "jsonl"


class CsvRenderer(_FileRenderer):
    media_type = "text/csv"
    format = "csv"


class XlsxRenderer(_FileRenderer):
    media_type = KINDS["xlsx"]
    format = "xlsx"


RENDERERS = [JsonLinesRenderer, CsvRenderer, XlsxRenderer]


def download(request: Request, batch: Batch) -> StreamingHttpResponse:
    """Return the results of a batch in the file format of the query or of `Accept`.

    Raises InvalidRequest for a list that is none of theirs.
    """
    query = query_of(request)
    kind = query.get("format") or request.accepted_renderer.format
    layout = Layout() if kind == "jsonl" else layout_of(batch.pk)
    name = query.get("list")
    if name is not None and (kind != "csv" or name not in layout.lists):
        known = ", ".join(layout.lists) or "none"
        raise InvalidRequest.at("list", f"In CSV, the column of a list of objects; there are: {known}.")
    body = {"jsonl": _json_lines(batch.pk), "csv": _csv(batch.pk, layout, name), "xlsx": _workbook(batch.pk, layout)}
    response = StreamingHttpResponse(body[kind], content_type=TYPES[kind])
    response["Content-Disposition"] = f'attachment; filename="batch_{batch.pk}.{kind}"'
    return response


async def _parts(batch: uuid.UUID) -> AsyncIterator[list[Result]]:
    results, last = await in_database(part, batch, -1)
    while results:
        yield results
        results, last = await in_database(part, batch, last)


async def _json_lines(batch: uuid.UUID) -> AsyncIterator[bytes]:
    async for results in _parts(batch):
        yield await asyncio.to_thread(json_lines, results)


async def _csv(batch: uuid.UUID, layout: Layout, name: str | None) -> AsyncIterator[bytes]:
    writer = Csv(layout, name)
    yield writer.head()
    async for results in _parts(batch):
        yield await asyncio.to_thread(writer.rows, results)


async def _workbook(batch: uuid.UUID, layout: Layout) -> AsyncIterator[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        workbook = Xlsx(layout, Path(folder))
        async for results in _parts(batch):
            await asyncio.to_thread(workbook.write, results)
        whole = await asyncio.to_thread(workbook.close)
        with whole.open("rb") as file:
            while sent := await asyncio.to_thread(file.read, PART):
                yield sent
