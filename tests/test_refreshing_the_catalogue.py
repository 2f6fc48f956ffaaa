"""What the Models API says of models overrides the built-in catalogue, in every process at once."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from conversations.models import ListedModel
from conversations.sandbox.server import Sandbox
from conversations.services import model_listing
from conversations.services.notices import notify
from tests.clients import Api
from tests.waiting import until

NEW = {
    "id": "claude-next-1",
    "type": "model",
    "display_name": "Claude Next 1",
    "created_at": "2026-11-20T00:00:00Z",
    "lifecycle": "active",
    "max_input_tokens": 2_000_000,
    "max_tokens": 256_000,
    "capabilities": {
        "effort": {
            "supported": True,
            "low": {"supported": True},
            "high": {"supported": True},
            "max": {"supported": False},
        },
        "thinking": {"supported": True, "types": {"adaptive": {"supported": True}, "disabled": {"supported": False}}},
    },
}
SMALLER = {**NEW, "id": "claude-opus-4-6", "display_name": "Claude Opus 4.6", "max_tokens": 50, "capabilities": None}


@pytest.fixture(autouse=True)
def _as_before(api: Api, sandbox: Sandbox) -> Iterator[None]:
    yield
    sandbox.listed = []
    ListedModel.objects.all().delete()
    model_listing.load_listing()
    notify("models")
    until(lambda: "claude-next-1" not in models(api))


def models(api: Api) -> dict[str, Any]:
    return {each["id"]: each for each in api.get("models/").json()["results"]}


def test_a_new_model_and_a_new_limit_hold_in_a_running_server(api: Api, sandbox: Sandbox) -> None:
    assert "claude-next-1" not in models(api)
    sandbox.listed = [NEW, SMALLER]
    out = StringIO()
    call_command("refresh_models", stdout=out)
    assert "models." in out.getvalue()
    until(lambda: "claude-next-1" in models(api))
    new = models(api)["claude-next-1"]
    assert new["limits"]["context_window"] == 2_000_000
    assert (new["capabilities"]["thinking"], new["capabilities"]["effort"]) == (["adaptive"], ["low", "high"])
    assert new["prices"] is None
    too_many = api.post("conversations/", {"model": "claude-opus-4-6", "max_tokens": 51})
    assert (too_many.status_code, list(too_many.json()["error"]["details"])) == (400, ["max_tokens"])
    assert api.post("conversations/", {"model": "claude-next-1", "effort": "max"}).status_code == 400
    assert api.post("conversations/", {"model": "claude-next-1", "temperature": 0.5}).status_code == 201
    assert models(api)["claude-opus-4-6"]["capabilities"]["temperature"] == "yes"  # not listed by the Models API


def test_a_model_that_is_listed_no_more_is_retired(api: Api, sandbox: Sandbox) -> None:
    sandbox.listed = [NEW]
    call_command("refresh_models", stdout=StringIO())
    sandbox.listed = []
    call_command("refresh_models", stdout=StringIO())
    until(lambda: models(api).get("claude-next-1", {}).get("lifecycle", {}).get("status") == "retired")
    refused = api.post("conversations/", {"model": "claude-next-1"})
    assert (refused.status_code, refused.json()["error"]["details"]) == (400, {"model": "claude-next-1 is retired."})
