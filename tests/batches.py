"""Helpers for tests of extraction batches: creating batches, and waiting for them."""

from __future__ import annotations

import time
from typing import Any

from tests.clients import Api

NAME_AND_EMAIL = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "email": {"type": "string"}},
    "required": ["name", "email"],
    "additionalProperties": False,
}
PATIENCE = 120.0  # seconds

Item = dict[str, Any]


def contact(number: int, directives: str = "") -> Item:
    """Return an item of a batch, from whose content a name and an email can be extracted."""
    return {"key": f"item-{number}", "content": f"Contact Jane at jane{number}@example.com {directives}".strip()}


def create(api: Api, items: list[Item], headers: dict[str, str] | None = None, **fields: Any) -> dict[str, Any]:
    """Create a batch; return the API's representation."""
    body = {"schema": NAME_AND_EMAIL, "items": items, "evidence": False, **fields}
    response = api.post("extraction/batches/", body, headers=headers)
    assert response.status_code == 201, response.text
    batch: dict[str, Any] = response.json()
    return batch


def shown(api: Api, id: str) -> dict[str, Any]:
    """Return the API's current representation of a batch."""
    batch: dict[str, Any] = api.get(f"extraction/batches/{id}/").json()
    return batch


def ended(api: Api, id: str) -> dict[str, Any]:
    """Wait until a batch has ended, and return it."""
    deadline = time.monotonic() + PATIENCE
    while (batch := shown(api, id))["finished_at"] is None:
        assert time.monotonic() < deadline, batch
        time.sleep(0.1)
    return batch


def items(api: Api, id: str, **query: Any) -> dict[str, Item]:
    """Return all items of a batch by their keys."""
    found: dict[str, Item] = {}
    page: Any = {"next": f"{api.url}/api/extraction/batches/{id}/items/", "params": {"page_size": 200, **query}}
    while page["next"]:
        page = api.http.get(page["next"], params=page.get("params")).json()
        found.update({item["key"]: item for item in page["results"]})
    return found
