"""Clients that are generated from the document compile with strict types, and run a turn against a real server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests import clients
from tests.clients import Api
from tests.contract.generators import node_tools, python_tools, run

CLIENTS = Path(__file__).parent / "clients"
DOCUMENT = "application/vnd.oai.openapi+json"
# `client.py` is the generator's own text, whatever the document says.
CHECKING = "[mypy]\nstrict = true\n[mypy-colloquy_client.client]\nignore_errors = true\n"
COMPILE = ["--strict", "--target", "es2022", "--module", "nodenext", "--skipLibCheck"]


@pytest.fixture
def document(api: Api, tmp_path: Path) -> Path:
    """The document as the server gives it to anybody, in a file."""
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
    redocly = tools / "node_modules/.bin/redocly"
    run([redocly, "lint", "--max-problems", "1000", "--config", config, document], document.parent)


def test_a_client_in_typescript_runs_a_turn(api: Api, document: Path, tmp_path: Path) -> None:
    tools = node_tools()
    (tmp_path / "node_modules").symlink_to(tools / "node_modules")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "turn.ts").write_text((CLIENTS / "turn.ts").read_text())
    run(["node_modules/.bin/openapi-typescript", document, "--output", "schema.d.ts"], tmp_path)
    run(["node_modules/.bin/tsc", *COMPILE, "turn.ts"], tmp_path)
    said = json.loads(run(["node", "turn.js"], tmp_path, environment=access(api)))
    assert said["status"] == "completed"
    assert "You said: Hello" in said["said"]
    assert "You said: Again" in said["text"]
    assert float(said["cost"]) > 0
    assert said["kind"] == "invalid_request_error"


def test_a_client_in_python_runs_a_turn(api: Api, document: Path, tmp_path: Path) -> None:
    tools = python_tools()
    # The generator fails on what it does not know. To it JSON lines are the JSON that each one is, files are bytes.
    files = "application/zip: application/octet-stream, image/png: application/octet-stream"
    known = f"{{application/x-ndjson: application/json, {files}}}"
    (tmp_path / "generator.yaml").write_text(f"content_type_overrides: {known}")
    options = ["--meta", "none", "--fail-on-warning", "--output-path", "colloquy_client", "--config", "generator.yaml"]
    run([tools / "openapi-python-client", "generate", "--path", document, *options], tmp_path)
    (tmp_path / "turn.py").write_text((CLIENTS / "turn.py").read_text())
    (tmp_path / "mypy.ini").write_text(CHECKING)
    run([tools / "mypy", "--cache-dir", tools / "mypy-cache", "turn.py", "colloquy_client"], tmp_path)
    said = json.loads(run([tools / "python", "turn.py"], tmp_path, environment=access(api)))
    assert said["status"] == "completed"
    assert "You said: Hello" in said["said"]
    assert float(said["cost"]) > 0
    assert said["kind"] == "invalid_request_error"
