"""Schemathesis against a real server: requests generated from the OpenAPI document, responses checked against it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.clients import Api

# These operations revoke the token: they are called at the end, with a token of their own.
ENDING = ("logout", "logoutAll")
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "ignored_auth",
)
SCHEMA = {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]}


@dataclass(frozen=True)
class Outcome:
    """The result of a run; `output` is that of Schemathesis itself."""

    who: str
    requests: int
    operations: int
    failures: list[str]
    output: str

    def __str__(self) -> str:
        found = "".join(f"\n  {each}" for each in self.failures)
        asked = f"{self.requests} requests to {self.operations} operations"
        return f"as {self.who}: {asked}, {len(self.failures)} faults{found}"


def fuzzed(url: str, who: str, *, seconds: int, seed: int) -> Outcome:
    """Run Schemathesis as a new user, on the staff where `who` says so, for about `seconds`."""
    with Api(url) as api:
        api.user.is_staff = api.user.is_superuser = who == "staff"
        api.user.save()
        others = [part for name in ENDING for part in ("--exclude-operation-id", name)]
        arguments = ["--seed", str(seed), "--max-time", str(seconds), *others]
        return _run(url, who, api.token, "\n".join(_pinned(api)), arguments)


def logged_out(url: str, *, seed: int) -> Outcome:
    """Run Schemathesis on the operations that end tokens."""
    with Api(url) as api:
        only = [part for name in ENDING for part in ("--include-operation-id", name)]
        return _run(url, "who logs out", api.token, "", ["--seed", str(seed), "--max-time", "10", *only])


def _pinned(api: Api) -> list[str]:
    """Return a configuration that puts ids of existing objects into most paths."""
    conversation = api.conversation(title="fuzzed")
    turn = api.ask("Hello", conversation)
    attachment = api.http.post("/api/attachments/", files={"file": ("a.txt", b"Hello", "text/plain")}).json()
    extraction = api.post("extraction/extractions/?wait=true", {"schema": SCHEMA, "content": "Tea."}).json()
    schema = api.post("extraction/schemas/", {"name": "tea", "json_schema": SCHEMA}).json()
    ids = {
        "conversations": conversation,
        "turns": turn["id"],
        "attachments": attachment["id"],
        "extraction/extractions": extraction["id"],
        "extraction/schemas": schema["id"],
    }
    return [
        line
        for name, id in ids.items()
        for line in (
            "[[operations]]",
            f"include-path-regex = {json.dumps('^' + re.escape(f'/api/{name}/{{id}}/'))}",
            'exclude-method = "DELETE"',
            f'parameters = {{ "path.id" = {json.dumps(id)} }}',
        )
    ]


def _run(url: str, who: str, token: str, config: str, arguments: list[str]) -> Outcome:
    with tempfile.TemporaryDirectory() as folder:
        file, report = Path(folder) / "schemathesis.toml", Path(folder) / "report.json"
        file.write_text(config)
        document = f"{url}/api/schema/?format=json"
        command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(file), "run", document]
        command += ["--header", f"Authorization: Bearer {token}", "--checks", ",".join(CHECKS), "--no-color"]
        command += ["--report", "json", "--report-json-path", str(report), "--continue-on-failure"]
        command += ["--request-timeout", "60", "--suppress-health-check", "all", "--no-shrink", *arguments]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        output = done.stdout + done.stderr
        if not report.exists():
            return Outcome(who, 0, 0, ["Schemathesis did not run to its end"], output)
        found = json.loads(report.read_text())
        failures = [_told(each) for each in found["failures"]] + [f"error: {each}" for each in found["errors"]]
        cases = found["test_cases"] or {"generated": 0}  # null where the time was over before the first
        return Outcome(who, cases["generated"], found["operations"]["tested"], failures, output)


def _told(failure: dict[str, Any]) -> str:
    return f"{failure['title']}: {', '.join(failure['operations'])}"
