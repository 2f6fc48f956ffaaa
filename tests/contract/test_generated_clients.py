"""Clients that are generated from the document compile with strict types, and run a turn against a real server."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from tests import clients
from tests.clients import Api
from tests.contract.generators import compile_types, node_tools, run

CLIENTS = Path(__file__).parent / "clients"
DOCUMENT = "application/vnd.oai.openapi+json"
# `client.py` does not depend on the document, and httpx's own types are not what is checked here.
CHECKING = """[mypy]
strict = true
[mypy-colloquy_client.client]
ignore_errors = true
[mypy-anyio.*,certifi.*,click.*,h11.*,h2.*,httpcore.*,idna.*,pygments.*,rich.*]
follow_imports = skip
"""
# The generator needs to be told that JSON lines are JSON, and files bytes. Formatting the code is not needed.
GENERATING = """content_type_overrides:
  application/x-ndjson: application/json
  application/zip: application/octet-stream
  image/png: application/octet-stream
post_hooks: []
"""
MODULE = [sys.executable, "-m"]
COMPILE = ["--strict", "--target", "es2022", "--module", "nodenext", "--skipLibCheck"]


@pytest.fixture
def document(api: Api, tmp_path: Path) -> Path:
    """Provide the OpenAPI document as a file, fetched from the server without credentials."""
    response = clients.get(f"{api.url}/api/schema/", headers={"Accept": DOCUMENT})
    assert response.status_code == 200
    file = tmp_path / "openapi.json"
    file.write_text(response.text)
    return file


def access(api: Api) -> dict[str, str]:
    return {"COLLOQUY_URL": api.url, "COLLOQUY_TOKEN": api.token}


def test_the_linter_has_no_complaint(document: Path) -> None:
    tools = node_tools()
    config = Path(__file__).parents[2] / "redocly.yaml"
    redocly = tools / ".bin/redocly"
    run([redocly, "lint", "--max-problems", "1000", "--config", config, document], document.parent)


def test_a_client_in_typescript_runs_a_turn(api: Api, document: Path, tmp_path: Path) -> None:
    tools = node_tools()
    (tmp_path / "node_modules").symlink_to(tools)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "turn.ts").write_text((CLIENTS / "turn.ts").read_text())
    run(["node_modules/.bin/openapi-typescript", document, "--output", "schema.d.ts"], tmp_path)
    compile_types(tmp_path, *COMPILE, "turn.ts")
    said = json.loads(run(["node", "turn.js"], tmp_path, environment=access(api)))
    assert said["status"] == "completed"
    assert "You said: Hello" in said["said"]
    assert "You said: Again" in said["text"]
    assert float(said["cost"]) > 0
    assert said["kind"] == "invalid_request_error"


def test_a_client_in_python_runs_a_turn(api: Api, document: Path, tmp_path: Path) -> None:
    (tmp_path / "generator.yaml").write_text(GENERATING)
    options = ["--meta", "none", "--fail-on-warning", "--output-path", "colloquy_client", "--config", "generator.yaml"]
    run([*MODULE, "openapi_python_client", "generate", "--path", document, *options], tmp_path)
    (tmp_path / "turn.py").write_text((CLIENTS / "turn.py").read_text())
    (tmp_path / "mypy.ini").write_text(CHECKING)
    run([*MODULE, "mypy", "--cache-dir", os.devnull, "turn.py", "colloquy_client"], tmp_path)
    said = json.loads(run([sys.executable, "turn.py"], tmp_path, environment=access(api)))
    assert said["status"] == "completed"
    assert "You said: Hello" in said["said"]
    assert float(said["cost"]) > 0
    assert said["kind"] == "invalid_request_error"
