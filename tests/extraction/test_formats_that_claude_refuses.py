"""If Claude refuses a schema as an output format, instructions replace it; nobody pays or waits twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from conversations.models import Budget, Hold, Usage
from conversations.sandbox.server import Sandbox
from tests.clients import Api
from tests.extraction.test_extracting import JANE, NAME_AND_EMAIL, extract
from tests.processes import ServerProcess


def doubling(depth: int) -> dict[str, Any]:
    """Return a schema of objects of two objects each: few definitions, and a grammar that doubles with each level."""
    levels: dict[str, Any] = {
        f"d{level}": {
            "type": "object",
            "properties": {name: {"$ref": f"#/$defs/d{level + 1}"} for name in "xy"},
            "required": ["x", "y"],
            "additionalProperties": False,
        }
        for level in range(depth)
    }
    return {"$ref": "#/$defs/d0", "$defs": {**levels, f"d{depth}": {"type": ["string", "null"]}}}


def test_a_grammar_that_is_too_complex_is_described_instead(api: Api) -> None:
    Budget.objects.create(user=api.user, limit=5)
    value = json.dumps(json.dumps({"x": 1}))
    extraction = extract(api, f"[[sandbox: json={value}; always]]", doubling(14), max_attempts=2)
    assert [attempt["native"] for attempt in extraction["attempts"]] == [False, False]
    assert [attempt["number"] for attempt in extraction["attempts"]] == [1, 2]
    assert extraction["status"] == "invalid"
    assert {row.source for row in Usage.objects.filter(user=api.user)} == {"provider"}
    assert not Hold.objects.filter(work=extraction["id"]).exists()


def test_a_refusal_is_remembered_for_the_schema(api: Api, sandbox: Sandbox) -> None:
    schema = {"name": "doubling", "json_schema": doubling(14)}
    version = api.post("extraction/schemas/", schema).json()
    assert version["native"]
    value = json.dumps(json.dumps({"x": 1}))
    for number in (1, 2):
        mark = f"Number {number} of {api.user.pk}"
        content = f"{mark} [[sandbox: json={value}; always]]"
        body = {"schema": "doubling", "content": content, "max_attempts": 1, "evidence": False}
        found = api.post("extraction/extractions/?wait=true", body).json()
        assert found["attempts"][0]["native"] is False
        ours = [each.body for each in sandbox.requests if mark in str(each.body)]
        assert [("output_config" in each) for each in ours] == ([True, False] if number == 1 else [False])


class Upstream(BaseHTTPRequestHandler):
    """A Messages API that refuses requests with messages that differ from Claude's."""

    refusal = ""
    bodies: list[dict[str, Any]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.bodies.append(body)
        if "output_config" in body or self.refusal == "credit balance is too low":
            error = {"type": "error", "error": {"type": "invalid_request_error", "message": self.refusal}}
            self._send(400, "application/json", json.dumps(error))
            return
        answer = json.dumps({"name": "Jane", "email": "jane@example.com"})
        message = {"id": "m", "type": "message", "role": "assistant", "model": body["model"], "content": []}
        events: list[dict[str, Any]] = [
            {"type": "message_start", "message": {**message, "usage": {"input_tokens": 3, "output_tokens": 1}}},
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": answer}},
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}},
            {"type": "message_stop"},
        ]
        stream = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)
        self._send(200, "text/event-stream", stream)

    def _send(self, status: int, kind: str, text: str) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def gateway(database: str) -> Iterator[ServerProcess]:
    """Provide a platform process in front of such a server."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Upstream) as upstream:
        Thread(target=upstream.serve_forever, daemon=True).start()
        with ServerProcess("uvicorn", database, f"http://127.0.0.1:{upstream.server_port}") as process:
            yield process
        upstream.shutdown()


@pytest.mark.parametrize(
    "refusal",
    [
        "output_config: Extra inputs are not permitted",
        "output_config.format.schema: Schema is too complex",
        "The compiled grammar is too large",
        "Structured outputs are not supported by this model",
    ],
)
def test_every_refusal_of_a_format_is_answered_by_instructions(gateway: ServerProcess, refusal: str) -> None:
    Upstream.refusal = refusal
    with Api(gateway.url) as api:
        extraction = extract(api, JANE, max_attempts=1)
    assert extraction["data"] == {"name": "Jane", "email": "jane@example.com"}
    assert [(each["number"], each["native"]) for each in extraction["attempts"]] == [(1, False)]
    assert json.dumps(NAME_AND_EMAIL) in Upstream.bodies[-1]["system"]


def test_other_refusals_are_told(gateway: ServerProcess) -> None:
    Upstream.refusal = "credit balance is too low"
    before = len(Upstream.bodies)
    with Api(gateway.url) as api:
        response = api.post("extraction/extractions/?wait=true", {"schema": NAME_AND_EMAIL, "content": JANE})
    assert response.status_code == 400
    assert "credit balance" in response.json()["error"]["message"]
    assert len(Upstream.bodies) == before + 1
