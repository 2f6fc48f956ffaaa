"""The memory that large requests took is returned to the system when they are over."""

from __future__ import annotations

import gc
import json
import time
import weakref
from typing import Any

import httpx2
import psutil
import pytest

from conversations.claude.error_mapping import translated
from conversations.errors import ClaudeError
from tests.clients import Api
from tests.processes import ServerProcess

MB = 1024 * 1024
ALLOWED = 1.2  # memory afterwards, as a multiple of that before
PATIENCE = 60  # seconds

PROPERTIES = {f"p{n}": {"type": "string", "maxLength": n} for n in range(20_000)}
LARGE: dict[str, tuple[str, dict[str, Any]]] = {
    "a text": ("conversations/", {"metadata": {"notes": ["y" * (20 * MB)]}}),
    "many small values": ("conversations/", {"metadata": {f"k{n}": {"a": str(n) * 20} for n in range(45_000)}}),
    "a body that is refused": ("conversations/", {"title": "x", "surprise": "y" * (30 * MB)}),
    "a schema": (
        "extraction/extractions/?wait=true",
        {"schema": {"type": "object", "properties": PROPERTIES}, "content": "Hello"},
    ),
}


def resident(server: ServerProcess) -> int:
    return int(psutil.Process(server.process.pid).memory_info().rss)


@pytest.mark.parametrize("kind", LARGE)
def test_memory_returns_while_the_connection_stays_open(server: ServerProcess, api: Api, kind: str) -> None:
    path, body = LARGE[kind]
    small = {"schema": {"type": "object"}, "content": "Hello"} if "schema" in body else {}
    api.post(path, small)
    before = resident(server)
    encoded = json.dumps(body).encode()
    for _ in range(1 if "schema" in body else 2):  # checking the schema takes seconds each time
        response = api.http.post(
            f"/api/{path}", content=encoded, headers={"Content-Type": "application/json"}, timeout=60
        )
        assert response.status_code < 500 or response.json()["error"]["type"] == "api_error"
    deadline = time.monotonic() + PATIENCE
    while resident(server) > before * ALLOWED:
        assert time.monotonic() < deadline, f"{before // MB} MB before, {resident(server) // MB} MB after it"
        time.sleep(0.2)


def test_an_error_of_claudes_does_not_refer_to_itself() -> None:
    """A reference cycle would keep its frames, with the request in them, until garbage collection."""

    gc.disable()
    try:
        try:
            with translated():
                raise httpx2.ConnectError("refused")
        except ClaudeError as error:
            known = weakref.ref(error)
        assert known() is None
    finally:
        gc.enable()
