"""Helpers for tests of imports: uploading an archive, and waiting until it is imported."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import httpx2

from tests.clients import Api
from tests.waiting import until


def send(api: Api, data: bytes, media_type: str = "application/zip") -> httpx2.Response:
    return api.http.post("/api/me/import/", content=data, headers={"Content-Type": media_type})


def imported(api: Api, data: bytes, media_type: str = "application/zip") -> dict[str, Any]:
    """Import an archive; return the import when it has ended."""
    response = send(api, data, media_type)
    assert response.status_code == 202, response.text
    path = f"me/imports/{response.json()['id']}/"
    until(lambda: api.get(path).json()["finished_at"])
    found: dict[str, Any] = api.get(path).json()
    assert found["status"] == "completed", found
    return found


def exported(api: Api) -> bytes:
    response = api.http.get("/api/me/export/", headers={"Accept": "application/zip"})
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/zip"
    return response.content


def lines(archive: bytes, name: str) -> list[Any]:
    """Parse a file of JSON lines in an archive."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return [json.loads(line) for line in opened.read(name).splitlines()]
