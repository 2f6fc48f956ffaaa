"""The cost of downloading a batch of 100,000 items: time to the first byte and the last, CPU and memory.

    python -m tests.benchmarks.results --items 100000 --rows 20

Each item has five fields and a list of so many objects. The files are read from a real server process, one after the
other; memory is the most that the process had beyond what it had when it had sent a file of one item.
"""

from __future__ import annotations

import argparse
import sys
import time
import uuid
from dataclasses import dataclass
from typing import Any

import httpx2
import psutil

import tests.environment  # noqa: F401 - before Django's settings are read

FORMATS = ("jsonl", "csv", "csv&list=rows", "xlsx")

# Row by row, through all triggers, it would take an hour; ids are in the order of time, as ours are.
SEED = """
SET LOCAL session_replication_role = replica;
CREATE TEMP TABLE seeded ON COMMIT DROP AS
SELECT number, lpad(to_hex(%(first)s + number), 32, '0')::uuid AS id, json_build_object(
    'vendor', json_build_object('name', 'Vendor ' || number, 'city', 'Zürich'), 'number', 'R-' || number,
    'total', number * 1.25, 'paid', number %% 2 = 0, 'rows', (
        SELECT json_agg(json_build_object('text', 'Line ' || line, 'amount', line * 9.99, 'quantity', line))
        FROM generate_series(1, %(rows)s) AS line)) AS data
FROM generate_series(0, %(items)s - 1) AS number;
INSERT INTO extraction_extraction (id, owner_id, schema_id, content, model, max_attempts, wants_evidence, metadata,
    mode, resumes, position, data, problems, evidence, status, fence, created_at, finished_at, request_digest)
SELECT id, %(owner)s, %(schema)s, '[]', 'claude-sonnet-4-6', 2, true, '{}', 'live', true, 0, data, '[]', '[]',
    'succeeded', 1, now(), now(), '' FROM seeded;
INSERT INTO extraction_item (id, batch_id, key, number, content, digest, status, extraction_id, cost, sent, finished_at)
SELECT id, %(batch)s, 'item-' || number, number, '[]', md5(number::text), 'succeeded', id, 0.001, 0, now() FROM seeded;
"""


@dataclass
class Download:
    """The cost of one download."""

    first: float
    """Seconds until the first byte of the response."""
    whole: float
    """Seconds until the last byte."""
    size: int
    """Bytes of the file."""
    cpu: float
    """CPU seconds of the server process."""
    memory: int
    """Peak memory of the process, in bytes."""


def seeded(items: int, rows: int, first: int) -> tuple[str, uuid.UUID]:
    """Create a user with a batch of so many ended items; return a token and the batch's id."""
    from django.db import connection, transaction

    from conversations.models import User
    from conversations.services.accounts import accounts
    from extraction.models import Batch
    from extraction.services import schemas

    user = User.objects.create(username=f"results-{time.monotonic_ns()}")
    schema = schemas.add_version(user=user, name="receipt", new=schemas.NewSchema({"type": "object"}, native=False))
    batch = Batch.objects.create(owner=user, schema=schema, status="ended", concurrency=1, model="claude-sonnet-4-6")
    values: dict[str, Any] = {
        "items": items,
        "rows": rows,
        "first": first,
        "owner": user.pk,
        "schema": schema.pk,
        "batch": batch.pk,
    }
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in filter(str.strip, SEED.split(";")):
            cursor.execute(statement, values)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE extraction_item, extraction_extraction")
    return accounts.issue_token(user=user)[1], batch.pk


def download(url: str, token: str, batch: uuid.UUID, format: str, process: psutil.Process) -> Download:
    """Download the results of a batch."""
    cpu, began = sum(process.cpu_times()[:2]), time.monotonic()
    memory, size, first = 0, 0, 0.0
    address = f"{url}/api/extraction/batches/{batch}/results/?format={format}"
    with httpx2.stream("GET", address, headers={"Authorization": f"Bearer {token}"}, timeout=3600) as response:
        assert response.status_code == 200, response.read()
        for part in response.iter_bytes():
            first = first or time.monotonic() - began
            size += len(part)
            memory = max(memory, process.memory_info().rss)
    return Download(first, time.monotonic() - began, size, sum(process.cpu_times()[:2]) - cpu, memory)


def main() -> int:
    """Print a line for each kind of file."""
    parser = argparse.ArgumentParser("python -m tests.benchmarks.results")
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--rows", type=int, default=20, help="objects in the list of each item")
    options = parser.parse_args()

    from tests.benchmarks.given import prepared
    from tests.processes import ServerProcess

    with prepared() as database, ServerProcess("uvicorn", database, "http://127.0.0.1:9") as server:
        process = psutil.Process(server.process.pid)
        small, big = seeded(1, options.rows, 1), seeded(options.items, options.rows, 1_000)
        before = max(download(server.url, *small, format, process).memory for format in FORMATS)
        print(f"{options.items:,} items with {options.rows} rows each; memory before {before / 1e6:.0f} MB")
        for format in FORMATS:
            taken = download(server.url, *big, format, process)
            print(
                f"{format:14} first byte {taken.first:6.2f} s, last {taken.whole:6.1f} s, {taken.size / 1e6:7.1f} MB, "
                f"CPU {taken.cpu:6.1f} s, memory +{(taken.memory - before) / 1e6:.0f} MB"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
