"""An expensive schema costs its owner a clear error, and nobody else anything."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx2
import psutil
import pytest

from conversations.sandbox.server import Sandbox
from tests import clients
from tests.clients import Api
from tests.extraction.test_extracting import JANE, NAME_AND_EMAIL, extract
from tests.extraction.test_hostile_answers import answering
from tests.processes import ServerProcess, living

Schema = dict[str, Any]

PAUSE = 4.0  # seconds to a response at most, even on a busy machine; a frozen loop takes five and more
BETWEEN = 0.2  # seconds between two requests of the heartbeat
PATIENCE = 40.0  # seconds for another user's extraction, which needs a hundredth of that


def twice(depth: int, keyword: str = "allOf") -> Schema:
    """Return whether a second request is answered, and not refused, after `pause` idle seconds."""
    levels: Schema = {
        f"d{level}": {keyword: [{"$ref": f"#/$defs/d{level + 1}"}, {"$ref": f"#/$defs/d{level + 1}"}]}
        for level in range(depth)
    }
    return {"$ref": "#/$defs/d0", "$defs": {**levels, f"d{depth}": {"type": "integer"}}}


def nested(depth: int) -> Schema:
    schema: Schema = {"type": "integer"}
    for _ in range(depth):
        schema = {"allOf": [schema]}
    return schema


def chained(length: int) -> Schema:
    """Return a schema each of whose definitions refers to the next one."""
    links = {f"d{number}": {"$ref": f"#/$defs/d{number + 1}"} for number in range(length)}
    return {"$ref": "#/$defs/d0", "$defs": {**links, f"d{length}": {"type": "integer"}}}


BACKTRACKING = {"type": "string", "pattern": "^(a+)+$"}
MANY_PROPERTIES = {"type": "object", "properties": {f"p{number}": {"type": "string"} for number in range(5_000)}}
OBJECTS = [{"a": number, "b": [number, {"c": str(number)}]} for number in range(600)]

FITTING: dict[str, tuple[Schema, Any]] = {
    "doubling": (twice(16), 1),
    "unique items": ({"uniqueItems": True}, OBJECTS),
    "huge enum": ({"enum": [f"word {number}" for number in range(10_000)]}, "WORD 7"),
    "recursive": ({"type": "object", "additionalProperties": {"$ref": "#"}}, {"a": {"b": {}}}),
    "many properties": (MANY_PROPERTIES, {"p7": "x"}),
}
"""Schemas that take a while, and data that satisfy them."""
# The schema, Claude's answer, and the expected validity of the data; None where the schema may be refused.
HOSTILE: dict[str, tuple[Schema, Any, bool | None]] = {
    "backtracking in a key": ({"propertyNames": BACKTRACKING}, {"a" * 40 + "!": 1}, False),
    "backtracking between": ({"type": "string", "pattern": "^(?=(a|a)+$)(a|aa)+$"}, "a" * 60 + "!", False),
    "doubling": (twice(60), "x", False),
    "doubling alternatives": (twice(60, "anyOf"), "x", False),
    "doubling that would fit": (twice(60), 1, False),
    "equal items": ({"uniqueItems": True}, [*OBJECTS, OBJECTS[0]], False),
    "nested": (nested(45), "x", False),
    "chained": (chained(3000), 1, None),
    "endless": ({"allOf": [{"$ref": "#"}]}, 1, None),
    "endless by name": ({"$anchor": "a", "anyOf": [{"$ref": "#a"}, {"$ref": "#a"}]}, 1, None),
    "large repetition": ({"type": "string", "pattern": "^((a{0,99}){0,99}){0,99}$"}, "a" * 99 + "!", False),
}


@pytest.fixture(scope="module")
def server(database: str, sandbox: Sandbox) -> Iterator[ServerProcess]:
    with ServerProcess("uvicorn", database, sandbox.url, COLLOQUY_CHECK_TIMEOUT="1") as process:
        yield process


@contextmanager
def heartbeat(url: str) -> Iterator[list[float]]:
    """Request /healthz repeatedly during the block; yield the list of response times in seconds."""
    took: list[float] = []
    over = threading.Event()

    def ask() -> None:
        with clients.client(base_url=url) as client:
            while not (took and over.wait(BETWEEN)):
                began = time.monotonic()
                assert client.get("/healthz").status_code == 200
                took.append(time.monotonic() - began)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield took
    finally:
        over.set()
        thread.join()


def asked(api: Api, server: ServerProcess, schema: Schema, value: Any) -> httpx2.Response:
    """Extract, with `value` as Claude's answer, and check that the server stays responsive; return the response."""
    body = {"schema": schema, "content": answering(json.dumps(value)), "max_attempts": 1, "max_tokens": 64_000}
    with heartbeat(server.url) as took:
        response = api.post("extraction/extractions/?wait=true", body)
    assert max(took) < PAUSE
    return response


@pytest.mark.parametrize("kind", HOSTILE)
def test_it_ends_with_data_or_a_problem_and_the_server_goes_on(api: Api, server: ServerProcess, kind: str) -> None:
    schema, value, fits = HOSTILE[kind]
    response = asked(api, server, schema, value)
    if fits is None and response.status_code == 400:
        assert response.json()["error"]["details"].keys() == {"schema"}
        return
    assert response.status_code == 201, response.text
    extraction = response.json()
    assert extraction["status"] == ("succeeded" if fits is None and not extraction["problems"] else "invalid")
    assert bool(extraction["problems"]) is (extraction["status"] == "invalid")


@pytest.mark.parametrize("kind", FITTING)
def test_what_takes_a_while_is_checked(uvicorn_server: ServerProcess, kind: str) -> None:
    with Api(uvicorn_server.url) as api:
        extraction = asked(api, uvicorn_server, *FITTING[kind]).json()
    assert (extraction["status"], extraction["problems"]) == ("succeeded", [])


def test_what_was_given_up_is_told_and_its_answer_is_kept(api: Api, server: ServerProcess) -> None:
    extraction = asked(api, server, BACKTRACKING, "a" * 40 + "!").json()
    assert extraction["status"] == "invalid"
    assert extraction["data"] == "a" * 40 + "!"
    [problem] = extraction["problems"]
    assert "more than 1 second" in problem["message"]
    assert len(extraction["attempts"]) == 1, "another answer would cost as much"


def test_a_schema_that_is_too_costly_to_check_is_refused(api: Api) -> None:
    # Each of these is compiled, and refers to all of the others.
    names = [f"d{number}" for number in range(300)]
    schema = {"$defs": {name: {"allOf": [{"$ref": f"#/$defs/{other}"} for other in names]} for name in names}}
    response = api.post("extraction/extractions/", {"schema": schema, "content": JANE})
    assert response.status_code in (400, 413)
    assert response.json()["error"]["message"]


def test_one_users_schemas_keep_nobody_waiting(api: Api, other: Api, server: ServerProcess) -> None:
    body = {"schema": BACKTRACKING, "content": answering(json.dumps("a" * 40 + "!")), "max_attempts": 1}
    ordinary = {"schema": NAME_AND_EMAIL, "content": JANE}
    with ThreadPoolExecutor(4) as threads, heartbeat(server.url) as took:
        hostile = [threads.submit(api.post, "extraction/extractions/?wait=true", body, timeout=120) for _ in range(3)]
        waited = []
        while not all(each.done() for each in hostile):
            began = time.monotonic()
            assert other.post("extraction/extractions/?wait=true", ordinary).json()["status"] == "succeeded"
            waited.append(time.monotonic() - began)
            time.sleep(BETWEEN)
        assert [each.result().json()["status"] for each in hostile] == ["invalid"] * 3
    assert max(took) < PAUSE
    assert sorted(waited)[len(waited) // 2] < PATIENCE / 10
    assert max(waited) < PATIENCE


def test_its_processes_end_with_the_server(database: str, sandbox: Sandbox) -> None:
    with ServerProcess("uvicorn", database, sandbox.url) as process:
        with Api(process.url) as api:
            extract(api, JANE)
        children = living(psutil.Process(process.process.pid).children(), "extraction.check_process")
        assert children
        process.kill()
        assert not psutil.wait_procs(children, timeout=30)[1]
