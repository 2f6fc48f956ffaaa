"""`python -m tests.contract`: Schemathesis as a user and as staff against a real server, with the sandbox as Claude."""

from __future__ import annotations

import argparse
import sys

import tests.environment  # noqa: F401 - before Django's settings are read


def main() -> int:
    """Run both kinds of user; return 1 if a response was a 5xx or not as documented."""
    parser = argparse.ArgumentParser("python -m tests.contract")
    parser.add_argument("--seconds", type=int, default=120, help="about how long each of the two runs takes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--examples", action="store_true", help="only write the document's examples again")
    options = parser.parse_args()

    import django

    django.setup()
    return run(options.seconds, options.seed, options.examples)


def run(seconds: int, seed: int, examples: bool) -> int:
    """Start a database, the sandbox and a server; run Schemathesis as both kinds of user; return the exit status."""
    from django.core.management import call_command
    from django.db import connection

    from config import local
    from conversations.sandbox.server import running_sandbox
    from tests.clients import Api
    from tests.contract.examples import write
    from tests.contract.fuzzing import fuzzed, logged_out
    from tests.processes import ServerProcess, database_url

    call_command("migrate", interactive=False, verbosity=0)
    faults = 0
    try:
        with (
            running_sandbox(pace=0.0) as sandbox,
            ServerProcess("uvicorn", database_url(connection), sandbox.url) as server,
        ):
            if examples:
                with Api(server.url) as api:
                    write(api)
                return 0
            outcomes = [fuzzed(server.url, who, seconds=seconds, seed=seed) for who in ("user", "staff")]
            for outcome in (*outcomes, logged_out(server.url, seed=seed)):
                print(outcome.output if outcome.failures else "", outcome, sep="\n", flush=True)
                faults += len(outcome.failures)
    finally:
        local.stop_postgres()
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
