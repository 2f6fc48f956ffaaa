"""The client library over connections that are cut at random: `python -m tests.chaos.client_disconnects`.

Asks until so many connections of each transport were cut, compares every answer with the stored message, and tells
what differed. The exit status is 1 if anything did.
"""

from __future__ import annotations

import argparse
import sys
import time

import tests.environment  # noqa: F401 - before Django's settings are read

TRANSPORTS = ("websocket", "sse")
AT_ONCE = 20  # questions of one run of Node


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser("python -m tests.chaos.client_disconnects")
    parser.add_argument("--cuts", type=int, default=1000, help="for each transport")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--transport", choices=TRANSPORTS, action="append", help="by default both")
    options = parser.parse_args()

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
                cut(server, transport, options.cuts, options.seed) for transport in options.transport or TRANSPORTS
            ]
            return int(not all(results))
    finally:
        local.stop_postgres()


def cut(server: object, transport: str, cuts: int, seed: int) -> bool:
    """Ask until so many connections were cut; return whether everything was right."""
    from conversations.models import Turn
    from tests.client.runtimes import call_in_node
    from tests.clients import Api
    from tests.cutting_proxy import CuttingProxy
    from tests.processes import ServerProcess

    assert isinstance(server, ServerProcess)
    began, asked, wrong = time.monotonic(), 0, 0
    with CuttingProxy(server.port, seed=seed) as proxy, Api(server.url) as api:
        proxy.cutting = True
        while proxy.cuts < cuts:
            options = {"url": proxy.url, "token": api.token, "transport": transport, "questions": AT_ONCE}
            for each in call_in_node("disconnects.js", "run", options, timeout=600):
                wrong += 1
                print(each)
            asked += AT_ONCE
            print(f"{transport}: {asked} answers, {proxy.cuts} cuts", flush=True)
        turns = Turn.objects.filter(user=api.user).count()
        print(f"{transport}: {asked} questions, {turns} turns, {wrong} differences, {time.monotonic() - began:.0f} s")
        return wrong == 0 and turns == asked


if __name__ == "__main__":
    sys.exit(main())
