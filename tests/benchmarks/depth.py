"""The cost of a list page, a message page and a new turn with 1,000,000 messages, relative to that with 1,000.

    python -m tests.benchmarks.depth

The big database has 10,000 conversations of one user's, one of which is 10,000 messages deep and the others 99; the
small one has a single conversation of 1,000. Both are asked through a real server process, which runs no turns.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import httpx2

import tests.environment  # noqa: F401 - before Django's settings are read

TIMES = 40
PAGE = 150  # more conversations than are on a page
CONVERSATIONS, DEEP, SHALLOW, SMALL = 10_000, 10_000, 99, 1_000

# Ids in the order of time, as ours are. Row by row, through all triggers, it would take an hour; nothing is searched.
SEED = """
SET LOCAL session_replication_role = replica;
CREATE TEMP TABLE seeded ON COMMIT DROP AS
SELECT conversation, number, (row_number() OVER (ORDER BY number, conversation)) AS at
FROM unnest(%(conversations)s::uuid[], %(sizes)s::int[]) AS each(conversation, size),
    generate_series(1, size) AS number;
ALTER TABLE seeded ADD id uuid;
UPDATE seeded SET id = lpad(to_hex(at + %(first)s), 32, '0')::uuid;
CREATE UNIQUE INDEX ON seeded (conversation, number);
ANALYZE seeded;
INSERT INTO conversations_message (id, conversation_id, parent_id, role, content, text, created_at, depth, jump)
SELECT child.id, child.conversation, parent.id, CASE WHEN child.number %% 2 = 1 THEN 'user' ELSE 'assistant' END,
    json_build_array(json_build_object('type', 'text', 'text', repeat('word' || child.number || ' ', 10))),
    repeat('word' || child.number || ' ', 10), now(), child.number - 1, over.id
FROM seeded AS child
JOIN seeded AS over ON over.conversation = child.conversation AND over.number = (%(jumps)s::int[])[child.number] + 1
LEFT JOIN seeded AS parent ON parent.conversation = child.conversation AND parent.number = child.number - 1;
UPDATE conversations_conversation AS conversation SET active_leaf_id = leaf.id
FROM (SELECT DISTINCT ON (conversation) conversation, id FROM seeded ORDER BY conversation, number DESC) AS leaf
WHERE conversation.id = leaf.conversation;
"""


def jumps(most: int) -> list[int]:
    """Return, for each depth up to `most`, the depth of the ancestor that the trigger stores as its jump pointer."""
    found = [0]
    for depth in range(1, most):
        above = found[depth - 1]
        found.append(found[above] if depth - 1 - above == above - found[above] else depth - 1)
    return found


def main() -> int:
    """Print a line for each kind of request; return the exit status."""
    from tests.benchmarks.given import prepared
    from tests.processes import ServerProcess

    with (
        prepared() as database,
        ServerProcess("uvicorn", database, "http://127.0.0.1:9", COLLOQUY_RUN_TURNS="false") as server,
    ):
        small = measured(server.url, *seed([SMALL, *[1] * PAGE], 1))
        began = time.monotonic()
        sizes = [DEEP, *[SHALLOW] * (CONVERSATIONS - 1)]
        big_user = seed(sizes, 1_000_000)
        print(f"{sum(sizes):,} messages in {len(sizes):,} conversations, seeded in {time.monotonic() - began:.0f} s")
        big = measured(server.url, *big_user)
        for name, base in small.items():
            print(f"{name:24} {base * 1000:7.1f} ms {big[name] * 1000:7.1f} ms {big[name] / base:5.2f} x")
    return 0


def seed(sizes: list[int], first: int) -> tuple[str, str, int]:
    """Create a user with conversations of these sizes; return a token, the first conversation's id and its size."""
    from django.db import connection, transaction

    from tests.benchmarks.given import users

    token, conversations = users(len(sizes))
    with transaction.atomic(), connection.cursor() as cursor:
        values: dict[str, Any] = {"first": first, "conversations": conversations, "sizes": sizes}
        values["jumps"] = jumps(max(sizes))
        for statement in filter(str.strip, SEED.split(";")):
            cursor.execute(statement, values)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return token, conversations[0], sizes[0]


def measured(url: str, token: str, conversation: str, size: int) -> dict[str, float]:
    """Return the median seconds of each kind of request, measured in turns."""
    with httpx2.Client(base_url=f"{url}/api", headers={"Authorization": f"Bearer {token}"}, timeout=60) as http:

        def get(path: str) -> None:
            assert http.get(path).status_code == 200, path

        def turn() -> None:
            created = http.post(f"/conversations/{conversation}/turns/", json={"content": "Hello"})
            assert created.status_code == 201, created.text
            turns.append(created.json()["id"])

        turns: list[str] = []
        pages = pages_of(http, conversation, size)
        kinds: dict[str, Callable[[], None]] = {
            "list of conversations": lambda: get("/conversations/"),
            "its second page": lambda: get(second),
            "first page of messages": lambda: get(pages[0]),
            "page in the middle": lambda: get(pages[1]),
            "last page of messages": lambda: get(pages[2]),
            "tree": lambda: get(f"/conversations/{conversation}/tree/"),
            "new turn": turn,
        }
        second = http.get("/conversations/").json()["next"] or "/conversations/"
        taken: dict[str, list[float]] = {name: [] for name in kinds}
        for _ in range(TIMES):
            for name, ask in kinds.items():
                began = time.perf_counter()
                ask()
                taken[name].append(time.perf_counter() - began)
            http.post(f"/turns/{turns[-1]}/cancel/")
        return {name: statistics.median(each) for name, each in taken.items()}


def pages_of(http: httpx2.Client, conversation: str, size: int) -> list[str]:
    """Return the URLs of the first, a middle and the last page, found by following all `next` links."""
    found = [f"/conversations/{conversation}/messages/"]
    while following := http.get(found[-1]).json()["next"]:
        found.append(following)
    return [found[0], found[len(found) // 2], found[-1]]


if __name__ == "__main__":
    sys.exit(main())
