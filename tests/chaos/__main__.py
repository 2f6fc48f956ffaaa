from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections import Counter

import tests.environment  # noqa: F401 - before Django's settings are read


def main() -> int:
    """Run the rounds; return 1 if any invariant was violated."""
    parser = argparse.ArgumentParser("python -m tests.chaos")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()

    import django

    django.setup()
    from config import local
    from tests.migrated import give_postgres

    give_postgres(local.data_dir())
    return asyncio.run(rounds(options.seed, options.rounds))


async def rounds(seed: int, number: int) -> int:
    """Run the rounds `seed`-1 to `seed`-`number` on a cluster that is repaired after each; return the exit status."""
    from asgiref.sync import sync_to_async
    from django.core.management import call_command
    from django.db import connection

    from config import local
    from conversations.sandbox.server import Sandbox
    from tests.chaos.cluster import Cluster
    from tests.chaos.rounds import run_round
    from tests.processes import database_url

    await sync_to_async(call_command)("migrate", interactive=False, verbosity=0)
    totals: Counter[str] = Counter()
    wrong = 0
    try:
        async with Sandbox(pace=0.0) as sandbox:
            with Cluster(await sync_to_async(database_url)(connection), sandbox.url) as cluster:
                for at in range(1, number + 1):
                    began = time.monotonic()
                    round = await run_round(f"{seed}-{at}", cluster, sandbox)
                    totals += round.counts
                    wrong += len(round.wrong)
                    print(f"round {seed}-{at}: {dict(round.counts)} in {time.monotonic() - began:.1f} s", flush=True)
                    for each in round.wrong:
                        print(f"  VIOLATION {each}", flush=True)
                totals += cluster.counts
    finally:
        local.stop_postgres()
    print(f"{number} rounds, {dict(totals)}, {wrong} violations")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
