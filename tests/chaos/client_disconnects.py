"""The client library over connections that are cut at random: `python -m tests.chaos.client_disconnects`.

In Node and in Chromium, concurrent clients ask until a number of connections of each transport were cut. Every answer
is compared with the stored message, and differences are printed. The exit status is 1 if there are any.

Most of the time passes in the clients' pauses before they reconnect: a single client is cut about twice a second.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import tests.environment  # noqa: F401 - before Django's settings are read

if TYPE_CHECKING:
    from tests.clients import Api
    from tests.cutting_proxy import CuttingProxy
    from tests.processes import ServerProcess

TRANSPORTS = ("websocket", "sse")
CLIENTS = {"node": 16, "chromium": 5}  # side by side: a browser opens six connections to a server over HTTP/1.1
QUESTIONS = 8  # of each client in one round: two of each kind

Round = Callable[[dict[str, Any]], list[str]]
"""A function that has clients ask, and returns the differences that they found."""


def main() -> int:
    """Run both runtimes; return the exit status."""
    parser = argparse.ArgumentParser("python -m tests.chaos.client_disconnects")
    parser.add_argument("--cuts", type=int, default=1000, help="for each transport")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--transport", choices=TRANSPORTS, action="append", help="by default both")
    parser.add_argument("--runtime", choices=CLIENTS, action="append", help="by default both")
    options = parser.parse_args()
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright keeps a loop in this thread

    import django

    django.setup()

    from django.core.management import call_command
    from django.db import connection

    from config import local
    from conversations.sandbox.server import running_sandbox
    from tests.processes import ServerProcess, database_url

    call_command("migrate", interactive=False, verbosity=0)
    try:
        with (
            running_sandbox(pace=0.0) as sandbox,
            ServerProcess("uvicorn", database_url(connection), sandbox.url) as server,
        ):
            results = [
                is_right(server, runtime, transport, options)
                for runtime in options.runtime or CLIENTS
                for transport in options.transport or TRANSPORTS
            ]
            return int(not all(results))
    finally:
        local.stop_postgres()


def is_right(server: ServerProcess, runtime: str, transport: str, options: argparse.Namespace) -> bool:
    """Have clients ask until enough connections were cut; return whether all answers were right."""
    from tests.clients import Api
    from tests.cutting_proxy import CuttingProxy

    began, rounds, wrong = time.monotonic(), 0, 0
    clients = CLIENTS[runtime]
    with CuttingProxy(server.port, seed=options.seed) as proxy, Api(server.url) as api, RUNTIMES[runtime](proxy) as ask:
        asked = {"url": proxy.url, "token": api.token, "transport": transport}
        while proxy.cuts < options.cuts:
            proxy.cutting = True
            differences = ask({**asked, "questions": QUESTIONS, "clients": clients})
            print(*differences, sep="\n", end="\n" if differences else "")
            rounds, wrong = rounds + 1, wrong + len(differences)
            print(f"{runtime}, {transport}: {proxy.cuts} cuts, {time.monotonic() - began:.0f} s", flush=True)
        return wrong == 0 and are_stored(api, rounds * clients, f"{runtime}, {transport}")


def are_stored(api: Api, clients: int, name: str) -> bool:
    """Return whether the server has one turn for each question, and one extraction for each client."""
    from conversations.models import Turn
    from extraction.models import Extraction

    turns = Turn.objects.filter(user=api.user).count()
    extractions = Extraction.objects.filter(owner=api.user).count()
    print(f"{name}: {clients * QUESTIONS} questions, {turns} turns; {clients} clients, {extractions} extractions")
    return turns == clients * QUESTIONS and extractions == clients


@contextmanager
def in_node(_: CuttingProxy) -> Iterator[Round]:
    """Yield a function that runs a round in Node."""
    from tests.client.runtimes import call_in_node

    yield lambda options: call_in_node("disconnects.js", "runTogether", options, timeout=600)


@contextmanager
def in_chromium(proxy: CuttingProxy) -> Iterator[Round]:
    """Yield a function that runs a round in a page of the server's own origin, which is loaded before any cut."""
    from tests import browser
    from tests.client.runtimes import call_in_page

    with browser.launched() as chromium:
        page = chromium.new_page()
        page.goto(f"{proxy.url}/healthz")
        page.evaluate("import('/static/conversations/client.js')")
        yield lambda options: call_in_page(page, "disconnects.js", "runTogether", options)


RUNTIMES = {"node": in_node, "chromium": in_chromium}

if __name__ == "__main__":
    sys.exit(main())
