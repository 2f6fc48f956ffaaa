"""Clients that reconnect by themselves get every event once, wherever their connection is cut, and stop at the end."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.browser import SharedBrowser
from tests.clients import Api, sse
from tests.resuming import Reader

ASKED = "Tell me [[sandbox: words=60]]"

# Reads a turn as the documentation of `@microsoft/fetch-event-source` shows, and prints the events.
FETCH_EVENT_SOURCE = """
import { fetchEventSource } from '@microsoft/fetch-event-source';
const [url, token, method, body, key] = process.argv.slice(2);
globalThis.document = { hidden: false, addEventListener() {}, removeEventListener() {} };
globalThis.window = { setTimeout, clearTimeout, fetch };
const headers = { Authorization: `Bearer ${token}`, Accept: 'text/event-stream' };
if (key) Object.assign(headers, { 'Idempotency-Key': key, 'Content-Type': 'application/json' });
let ended = false;
await fetchEventSource(url, {
  method, headers, body: body || undefined, openWhenHidden: true, fetch,
  onopen() {},
  onmessage(event) { console.log(event.data); ended ||= event.event === 'turn_end'; },
  onclose() { if (!ended) throw new Error('cut'); },
  onerror() { return 1; },
});
"""


@contextmanager
def cutting(url: str, after: list[int]) -> Iterator[str]:
    """Run a proxy that cuts its first responses after these numbers of bytes; yield its URL."""
    target = urlsplit(url)
    listener = socket.create_server(("127.0.0.1", 0))
    left = list(after)

    def relay(client: socket.socket) -> None:
        with client, socket.create_connection((target.hostname or "", target.port or 0)) as server, suppress(OSError):
            asked = b""
            while b"\r\n\r\n" not in asked:
                asked += (data := client.recv(65536))
                if not data:
                    return  # browsers open connections that they do not use
            most = left.pop(0) if left and b" /api/" in asked else None
            server.sendall(asked.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
            threading.Thread(target=_pass_on, args=(client, server), daemon=True).start()
            sent = 0
            while (data := server.recv(4096)) and (most is None or sent < most):
                data = data if most is None else data[: most - sent]
                client.sendall(data)
                sent += len(data)
            client.shutdown(socket.SHUT_RDWR)

    def accept() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=relay, args=(client,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.close()


def _pass_on(client: socket.socket, server: socket.socket) -> None:
    with suppress(OSError):
        while data := client.recv(65536):
            server.sendall(data)


def text_of(events: list[Any]) -> str:
    return "".join(event["delta"]["text"] for event in events if event["type"] == "content_block_delta")


def said(api: Api, turn: str) -> str:
    return text_of(api.events(turn))


@pytest.fixture(scope="session")
def node_modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Provide a folder in which Node finds the client."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("there is no Node here")
    folder = tmp_path_factory.mktemp("node")
    command = ["npm", "install", "--no-audit", "--no-fund", "@microsoft/fetch-event-source@2.0.1"]
    if subprocess.run(command, cwd=folder, capture_output=True, timeout=120).returncode:
        pytest.skip("npm has no way to its registry")
    (folder / "read.mjs").write_text(FETCH_EVENT_SOURCE)
    return folder


CUTS = [700, 701, 739, 800, 871, 940, 1003, 1100, 1203, 1500]  # bytes of an answer: within ids, names and data


def test_the_id_is_the_last_line_of_an_event(api: Api) -> None:
    turn = api.ask("Hello")["id"]
    raw = api.http.get(f"/api/turns/{turn}/events/").text
    for event in raw.strip().split("\n\n"):
        assert [line.split(":")[0] for line in event.split("\n")] == ["event", "data", "id"]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_fetch_event_source_loses_nothing_at_cuts(api: Api, node_modules: Path, method: str) -> None:
    conversation = api.conversation()
    if method == "GET":
        path, extra = f"/api/turns/{api.begin(ASKED, conversation)['id']}/events/", ["", ""]
    else:
        path, extra = f"/api/conversations/{conversation}/turns/", [json.dumps({"content": ASKED}), "the key"]
    with cutting(api.url, CUTS) as proxy:
        command = ["node", "read.mjs", proxy + path, api.token, method, *extra]
        done = subprocess.run(command, cwd=node_modules, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines() if line]
    assert text_of(events) == said(api, events[0]["turn"])
    assert events[-1]["type"] == "turn_end"


def test_who_has_seen_the_end_is_told_that_there_is_no_more(api: Api) -> None:
    turn = api.ask("Hello")
    path, end = f"turns/{turn['id']}/events/", str(turn["position"])
    assert api.get(path, headers={"Last-Event-ID": end}).status_code == 204
    assert api.get(f"{path}?after=3", headers={"Last-Event-ID": end}).status_code == 204
    empty = api.get(f"{path}?after={end}")
    assert (empty.status_code, empty.text) == (200, "")
    assert api.get(path, headers={"Last-Event-ID": str(turn["position"] + 1)}).status_code == 400


def test_the_header_of_a_reconnection_comes_before_the_address(api: Api) -> None:
    turn = api.ask("Hello")
    header = {"Last-Event-ID": str(turn["position"] - 1)}
    raw = api.get(f"turns/{turn['id']}/events/?after=3", headers=header).text
    assert raw.count("event: ") == 1
    assert "event: turn_end" in raw


def test_a_repeated_request_goes_on_where_its_reader_was(api: Api) -> None:
    path = f"conversations/{api.conversation()}/turns/"
    key = {"Idempotency-Key": "k", "Accept": "text/event-stream"}
    first = list(sse(api.post(path, {"content": "Hello"}, headers=key)))
    known, end = first[:3], first[-1]["position"]
    reader = Reader(first[0]["turn"], position=known[-1]["position"])
    again = {**key, "Last-Event-ID": str(reader.position)}
    for event in sse(api.post(path, {"content": "Hello"}, headers=again)):
        reader.take(event)
    assert (reader.done, reader.position) == (True, end)
    assert text_of(known) + text_of(reader.seen) == text_of(first)
    assert api.post(path, {"content": "Hello"}, headers={**key, "Last-Event-ID": str(end)}).text == ""


def test_a_browser_reads_everything_once_and_stops(api: Api, shared_browser: SharedBrowser) -> None:
    turn = api.begin(ASKED)["id"]
    whole = said(api, turn)
    authorized = {"Authorization": f"Bearer {api.token}"}
    with (
        cutting(api.url, CUTS[-1:]) as proxy,
        shared_browser.used() as chromium,
        chromium.new_page(extra_http_headers=authorized) as page,
    ):
        page.goto(f"{proxy}/healthz")
        found = page.evaluate(
            """(path) => new Promise((resolve) => {
                const source = new EventSource(path), texts = [];
                source.addEventListener('content_block_delta', (e) => texts.push(JSON.parse(e.data).delta.text));
                source.onerror = () => source.readyState === EventSource.CLOSED && resolve(texts.join(''));
            })""",
            f"/api/turns/{turn}/events/",
        )
    assert found == whole
