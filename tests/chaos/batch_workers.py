"""A batch whose workers are killed repeatedly: each item is done once and paid once.

    python -m tests.chaos.batch_workers --items 10000 --paid 9000

There are two workers, one of which is killed every few seconds, and a budget that is enough for `--paid` items. When
the batch has ended, exactly that many items have succeeded, each booked once, and the others have failed for the
budget. After the budget is raised, a retry runs exactly the failed ones.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

import tests.environment  # noqa: F401 - before Django's settings are read

BETWEEN = 10  # items that end between two kills at least


@dataclass
class Outcome:
    """The result of a batch."""

    succeeded: int
    over_budget: int
    after_retry: int
    kills: int
    seconds: float
    wrong: list[str] = field(default_factory=list)
    """The promises that were broken."""


def run(
    database: str, claude: str, url: str, *, items: int, paid: int, every: float, mode: str = "live", seed: int = 1
) -> Outcome:
    """Run a batch with a budget for `paid` of its items, by workers one of which is killed `every` seconds."""
    from tests.clients import Api

    began, dice = time.monotonic(), random.Random(seed)
    with ExitStack() as stack:
        api = stack.enter_context(Api(url))
        workers = stack.enter_context(_two_workers(database, claude))
        cost, hold = _price_of_one(api, mode)
        budget = _limited(api, cost * paid + hold - cost / 2)
        id = _send(api, items, mode)
        kills = _kill_until_ended(api, id, workers, every, dice)
        succeeded, failed = _keys(id, "succeeded"), _keys(id, "failed")
        outcome = Outcome(len(succeeded), len(failed), 0, kills, 0.0)
        outcome.wrong += _wrong(api, id, items, paid)
        budget.limit = Decimal(1_000_000)
        budget.save(update_fields=["limit"])
        api.post(f"extraction/batches/{id}/retry/")
        outcome.kills += _kill_until_ended(api, id, workers, every, dice)
        outcome.after_retry = len(_keys(id, "succeeded")) - len(succeeded)
        outcome.wrong += _wrong(api, id, items, items)
        if not succeeded.items() <= _keys(id, "succeeded").items():
            outcome.wrong.append("an item that had succeeded was done again")
        outcome.seconds = time.monotonic() - began
    return outcome


@contextmanager
def _two_workers(database: str, claude: str) -> Iterator[list]:
    from tests.chaos.cluster import ENVIRONMENT
    from tests.processes import ServerProcess

    environment = {**ENVIRONMENT, "COLLOQUY_BATCH_POLL": "0.5"}
    with (
        ServerProcess("worker", database, claude, **environment) as one,
        ServerProcess("worker", database, claude, **environment) as other,
    ):
        yield [one, other]


def _content(number: int) -> dict[str, str]:
    return {
        "key": f"item-{number:06}",
        "content": f"Contact Jane at jane{number:06}@example.com [[sandbox: delay=0.1]]",
    }


def _price_of_one(api, mode: str) -> tuple[Decimal, Decimal]:
    """Return the cost of one item, and the amount that is held for it."""
    from conversations.models import Budget, Usage
    from tests import batches

    slow = {**_content(0), "content": _content(0)["content"].replace("0.1", "3.0")}
    budget = _limited(api, Decimal(1000))
    id, held = batches.create(api, [slow], mode=mode)["id"], Decimal(0)
    while not held:
        time.sleep(0.05)
        held = Budget.objects.get(pk=budget.pk).held
    batches.ended(api, id)
    budget.delete()
    return Usage.objects.get(user=api.user).cost or Decimal(0), held


def _limited(api, more: Decimal):
    """Create a budget with this much left."""
    from django.db.models import Sum

    from conversations.models import Budget, Usage

    spent = Usage.objects.filter(user=api.user).aggregate(cost=Sum("cost"))["cost"] or Decimal(0)
    return Budget.objects.create(user=api.user, limit=spent + more)


def _send(api, items: int, mode: str) -> str:
    import json

    from tests.batches import NAME_AND_EMAIL

    settings = {"schema": NAME_AND_EMAIL, "mode": mode, "concurrency": 8, "evidence": False}
    lines = "\n".join(map(json.dumps, [settings, *(_content(number) for number in range(items))]))
    headers = {"Content-Type": "application/x-ndjson"}
    response = api.http.post("/api/extraction/batches/", content=lines, headers=headers, timeout=600)
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


def _kill_until_ended(api, id: str, workers: list, every: float, dice: random.Random) -> int:
    """Kill and restart one of the workers `every` seconds until the batch has ended, as long as it progresses.

    (Otherwise nothing would progress on a machine where starting a worker takes longer than that.)
    """
    from tests import batches

    kills, left, at = 0, math.inf, time.monotonic()
    while (batch := batches.shown(api, id))["finished_at"] is None:
        now = batch["counts"]["queued"]
        if time.monotonic() - at >= every and now <= left - BETWEEN and batch["counts"]["running"]:
            worker = dice.choice(workers)
            worker.kill()
            worker.start()
            kills, left, at = kills + 1, now, time.monotonic()
        time.sleep(0.1)
    return kills


def _keys(id: str, status: str) -> dict[str, str]:
    """Return the extractions of the items with a status, by their keys."""
    from extraction.models import Item

    found = Item.objects.filter(batch=UUID(id), status=status).values_list("key", "extraction")
    return {key: str(extraction) for key, extraction in found}


def _wrong(api, id: str, items: int, paid: int) -> list[str]:
    """Return what is wrong with an ended batch whose budget was enough for `paid` items."""
    from django.db.models import Count

    from conversations.models import Hold, Usage
    from extraction.models import Item

    wrong = []
    succeeded = Item.objects.filter(batch=UUID(id), status="succeeded")
    failed = Item.objects.filter(batch=UUID(id), status="failed")
    if (succeeded.count(), failed.count()) != (paid, items - paid):
        wrong.append(f"{succeeded.count()} succeeded and {failed.count()} failed; {paid} of {items} were paid for")
    if others := [item.error for item in failed if (item.error or {}).get("type") != "budget_exceeded"]:
        wrong.append(f"{len(others)} failed for another reason: {others[0]}")
    rows = Usage.objects.filter(user=api.user, answer__attempt__extraction__item__batch=UUID(id))
    twice = rows.values("answer__attempt__extraction").annotate(rows=Count("pk")).filter(rows__gt=1)
    if rows.count() != paid or twice:
        wrong.append(f"{rows.count()} rows of the ledger for {paid} items, {len(twice)} items more than once")
    all = Usage.objects.filter(user=api.user).count()
    if all != paid + 1:  # the additional one is the item that measured the price
        wrong.append(f"{all} rows of the ledger altogether")
    if Hold.objects.filter(budget__user=api.user).exists():
        wrong.append("something is still held of the budget")
    return wrong


def main() -> int:
    """Run it on a PostgreSQL, a server and a sandbox of its own; return 1 if a promise was broken."""
    parser = argparse.ArgumentParser("python -m tests.chaos.batch_workers")
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--paid", type=int, default=9_000)
    parser.add_argument("--every", type=float, default=4.0, help="seconds between kills")
    parser.add_argument("--mode", choices=("live", "batch"), default="live", help="how the items are extracted")
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
        with running_sandbox(pace=0.0) as sandbox:
            database = database_url(connection)
            with ServerProcess("uvicorn", database, sandbox.url) as server:
                outcome = run(database, sandbox.url, server.url, **vars(options))
    finally:
        local.stop_postgres()
    print(outcome)
    return 1 if outcome.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
