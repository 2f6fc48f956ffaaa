"""The examples in the API's documents return what the documents show."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conversations import tools
from tests import readme
from tests.clients import Api

API, WEBSOCKET = readme.ROOT / "docs" / "api.md", readme.ROOT / "docs" / "websocket.md"


def run(api: Api, folder: Path, *command: str) -> str:
    environment = {**os.environ, "URL": api.url, "TOKEN": api.token}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_api_answers_as_its_document_shows(api: Api, tmp_path: Path) -> None:
    examples = readme.examples(API)
    assert len(examples) > 8
    script = "\nprintf '\\0'\n".join(example.code for example in examples)
    outputs = run(api, tmp_path, "bash", "-euo", "pipefail", "-c", script).split("\0")
    for example, output in zip(examples, outputs, strict=True):
        readme.check(example, output)


def test_the_socket_answers_as_its_document_shows(api: Api, tmp_path: Path) -> None:
    [example] = [each for each in readme.examples(WEBSOCKET) if each.language == "python"]
    readme.check(example, run(api, tmp_path, sys.executable, "-c", example.code))


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no Node")
def test_the_page_of_a_browser_works(api: Api, tmp_path: Path) -> None:
    [example] = [each for each in readme.examples(WEBSOCKET) if each.language == "javascript"]
    call = json.dumps([api.url, api.token, api.conversation(), "Hello"])
    script = f"{example.code}\nask(...{call}, (text) => process.stdout.write(text)).then(console.log);"
    output = run(api, tmp_path, "node", "--experimental-websocket", "--no-warnings", "-e", script)
    assert "[sandbox] You said: Hello" in output
    assert output.rstrip().endswith("completed")


def test_the_tool_of_the_platform_is_one() -> None:
    [(_, code)] = readme.blocks("tool", readme.ROOT / "docs" / "deploying.md")
    exec(compile(code.replace("weather", "documented_weather"), "deploying.md", "exec"), {"__name__": "documented"})
    tool = tools.registered_tool("documented_weather")
    assert tool is not None
    assert tool.definition()["description"] == "The documented_weather in a city, now."
    assert tool.definition()["input_schema"]["required"] == ["city"]


@pytest.mark.parametrize(
    ("shown", "given"), [({"a": 1}, {"a": 2}), ({"a": 1}, {}), ([1], [1, 2]), ("x…", "y"), (None, "x"), ({}, [])]
)
def test_what_differs_is_noticed(shown: object, given: object) -> None:
    with pytest.raises(AssertionError):
        readme.check_json(shown, given, "answer")
