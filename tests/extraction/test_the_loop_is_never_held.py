"""Awkward schemas, hostile documents and large uploads block the server's event loop only for a moment."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

from conversations.sandbox.server import Sandbox
from tests.batches import NAME_AND_EMAIL
from tests.clients import Api
from tests.extraction.test_hostile_schemas import BACKTRACKING, MANY_PROPERTIES, twice
from tests.extraction.test_large_and_awkward_schemas import AWKWARD, LARGE
from tests.processes import ServerProcess

MOST = 0.05  # seconds of the loop's own time
ROWS = [{"a": number, "b": [number, {"c": str(number)}]} for number in range(1000)]
AWKWARD_DATA = {"code": "AB12", "rows": ROWS, "tree": {"name": "a", "children": [{"name": "b"}]}}


@pytest.fixture(scope="module")
def watched(database: str, sandbox: Sandbox) -> Iterator[ServerProcess]:
    with ServerProcess("watched", database, sandbox.url, COLLOQUY_CHECK_TIMEOUT="1") as process:
        yield process


@pytest.fixture
def api(watched: ServerProcess) -> Iterator[Api]:
    with Api(watched.url) as client:
        longest(client)
        yield client


def longest(api: Api) -> float:
    """Return the longest time in seconds for which the loop was blocked since the last call."""
    return float(api.http.get("/watch").json())


def saying(data: Any) -> str:
    return f"[[sandbox: json={json.dumps(json.dumps(data))}; always]]"


SCHEMAS: dict[str, tuple[Any, Any]] = {
    "400 fields": (LARGE, None),
    "recursion, patterns, deep definitions, unique items, 50 unions": (AWKWARD, AWKWARD_DATA),
    "a pattern that backtracks": ({"type": "object", "properties": {"a": BACKTRACKING}}, {"a": "a" * 40 + "!"}),
    "definitions that double": (twice(30), {}),
    "5,000 properties": (MANY_PROPERTIES, {}),
}


@pytest.mark.parametrize("kind", SCHEMAS)
def test_by_a_schema(api: Api, kind: str) -> None:
    schema, data = SCHEMAS[kind]
    named = api.post("extraction/schemas/", {"name": "awkward", "json_schema": schema})
    assert named.status_code == 201 or named.json()["error"]["message"].startswith("json_schema"), named.text
    content = "A form." if data is None else saying(data)
    asked = {"schema": schema, "content": content, "evidence": False}
    response = api.http.post("/api/extraction/extractions/?wait=true", json=asked, timeout=120)
    found = response.json()
    assert found.get("status") in ("succeeded", "invalid") or found["error"]["message"].startswith("schema"), found
    assert longest(api) < MOST


@pytest.mark.parametrize("kind", ["html", "csv", "json"])
def test_by_a_document(api: Api, kind: str) -> None:
    media_type, text = {
        "html": ("text/html", b"<div>" * 200_000),
        "csv": ("text/csv", b'"a",b\n' * 700_000),
        "json": ("text/plain", b"[" * 4_000_000),
    }[kind]
    source = {"type": "base64", "media_type": media_type, "data": base64.b64encode(text).decode()}
    asked = {"schema": NAME_AND_EMAIL, "content": [{"type": "document", "source": source}]}
    response = api.http.post("/api/extraction/extractions/?wait=true", json=asked, timeout=120)
    assert response.status_code in (201, 400, 413, 415), response.text
    assert longest(api) < MOST


def test_by_a_batch_of_twenty_megabytes(api: Api) -> None:
    settings = {"schema": NAME_AND_EMAIL, "evidence": False}
    items = [{"key": str(number), "content": "Contact Jane. " * 700} for number in range(2000)]
    lines = "\n".join(map(json.dumps, [settings, *items])).encode()
    assert len(lines) > 19_000_000
    headers = {"Content-Type": "application/x-ndjson"}
    response = api.http.post("/api/extraction/batches/", content=lines, headers=headers, timeout=120)
    assert (response.status_code, response.json().get("counts", {}).get("total")) == (201, 2000), response.text
    assert api.post(f"extraction/batches/{response.json()['id']}/cancel/").status_code == 202
    assert longest(api) < MOST
