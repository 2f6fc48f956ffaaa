"""Response times of the review pages with 1,000,000 rows in the ledger.

    python -m tests.benchmarks.review --rows 1000000

It seeds users, conversations, turns and ledger rows over 90 days into a database of its own, opens each page as a
reviewer through a real server process, and checks that the sums are the same at every level.
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html import unescape

import httpx2

import tests.environment  # noqa: F401 - before Django's settings are read

TIMES = 30
USERS, DAYS = 500, 90


def main() -> int:
    """Print a line for each page; return the exit status."""
    from tests.benchmarks.given import prepared
    from tests.processes import ServerProcess

    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    with prepared() as database:
        began = time.monotonic()
        seed(rows)
        print(f"{rows:,} rows over {DAYS} days of {USERS} users, seeded in {time.monotonic() - began:.0f} s")
        server = ServerProcess("uvicorn", database, "http://127.0.0.1:9", COLLOQUY_RUN_TURNS="false")
        with server, reviewer(server.url) as http:
            pages = {**way_down(http), **lists(rows)}
            for name, path in pages.items():
                print(f"{name:44} {measured(http, path)}")
            for name, path in exports(pages).items():
                print(f"{name:44} {exported(http, path)}")
        from conversations.services.billing import ledger_audit

        audit = ledger_audit.audit()
        print(f"check_ledger: {audit} ({audit.seconds:.1f} s)")
    return 0


def seed(rows: int) -> None:
    """Fill the database with `rows` ledger rows."""
    from django.db import connection

    from conversations.models import Budget
    from tests.seeding import seed

    seed("reviewed", rows, users=USERS, days=DAYS)
    Budget.objects.create(limit=100_000)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def reviewer(url: str) -> httpx2.Client:
    """Return an HTTP client that is logged in as a staff user."""
    from django.test import Client

    from conversations.models import User

    client = Client()
    client.force_login(User.objects.create_superuser("reviewer"))
    return httpx2.Client(base_url=url, cookies={"sessionid": client.cookies["sessionid"].value}, timeout=600)


def way_down(http: httpx2.Client) -> dict[str, str]:
    """Return a path for each level, from the dashboard to a request, after checking that their sums agree."""
    review, found = "/admin/conversations/usage/review/", {}
    found["dashboard, 30 days"] = "/admin/"
    found["dashboard, 90 days"] = "/admin/?" + period(90)
    found["dashboard, one user"] = "/admin/?user=reviewed-1&" + period(90)
    found["dashboard, one model"] = "/admin/?model=claude-opus-5-5&" + period(90)
    found["what changed in 30 days"] = "/admin/conversations/usage/changes/"
    found["what changed, by conversation"] = "/admin/conversations/usage/changes/?by=conversation"
    found["this month's report as PDF"] = "/admin/conversations/usage/report/"
    found["users and models of 90 days"] = f"{review}?{period(90)}&by=user-model"
    found["users of 90 days"] = f"{review}?{period(90)}&by=user"
    found["conversations of 90 days"] = f"{review}?{period(90)}&by=conversation"
    path, above = f"{review}?{period(90)}", None
    while "/review/" in path:
        page = http.get(path).text
        level = re.search(r'data-level="(\w+)"', page)
        assert level, page
        found[f"down: {level[1]}s"] = path
        rows = rows_of(page)
        total = Decimal(re.findall(r'data-cost="([^"]+)"', page)[0])
        assert above is None or total == above, (path, total, above)
        if 'page=2"' not in page:
            assert sum(cost for _, cost in rows) == total, path
        path, above = rows[len(rows) // 3]
    found["down: the request"] = path
    return found


def rows_of(page: str) -> list[tuple[str, Decimal]]:
    """Return the URL and the cost of each row of a level."""
    table = page[page.index('<table id="level"') :]
    cells = re.findall(r'<td class="label"><a href="([^"]+)">.*?data-cost="([^"]+)"', table, re.DOTALL)
    return [(unescape(url), Decimal(cost)) for url, cost in cells]


def period(days: int) -> str:
    """Return the last days as query parameters."""
    today = datetime.now(UTC).date()
    return f"from={today - timedelta(days=days - 1)}&to={today}"


def lists(rows: int) -> dict[str, str]:
    """Return the paths of the admin's lists that have many rows."""
    from conversations.admin.readonly import COUNTED, ReadOnlyAdmin

    base, last = "/admin/conversations", -(-min(rows, COUNTED) // ReadOnlyAdmin.list_per_page)
    found = {f"list of {name}s": f"{base}/{name}/" for name in ("usage", "conversation", "turn", "message", "budget")}
    found["list of usage, filtered"] = f"{base}/usage/?model=claude-fable-5-2&source=estimate&{period(90)}"
    found["list of failed turns"] = f"{base}/turn/?error=any"
    found["list of usage, looked up"] = f"{base}/usage/?q=reviewed-7"
    found["list of usage, last page"] = f"{base}/usage/?p={last}"
    return found


def exports(pages: dict[str, str]) -> dict[str, str]:
    """Return the paths of exports of sums and of requests."""
    requests = "/admin/conversations/usage/requests/"
    return {
        "users of 90 days as CSV": pages["users of 90 days"] + "&export=csv",
        "users of 90 days as XLSX": pages["users of 90 days"] + "&export=xlsx",
        "requests of a user as CSV": f"{requests}?user=reviewed-250&export=csv&{period(90)}",
        "requests of a user as XLSX": f"{requests}?user=reviewed-250&export=xlsx&{period(90)}",
        "all requests of 90 days as CSV": f"{requests}?export=csv&{period(90)}",
    }


def measured(http: httpx2.Client, path: str) -> str:
    """Return the median and the 95th percentile of a page's response time, and its size, as text."""
    taken, size = [], 0
    for _ in range(TIMES):
        began = time.perf_counter()
        response = http.get(path)
        taken.append(time.perf_counter() - began)
        assert response.status_code == 200, (path, response.status_code)
        size = len(response.content)
    return f"p50 {1000 * statistics.median(taken):6.0f} ms  p95 {1000 * p95(taken):6.0f} ms  {size // 1000:5} KB"


def p95(taken: list[float]) -> float:
    """Return the 95th percentile."""
    return statistics.quantiles(taken, n=20)[-1]


def exported(http: httpx2.Client, path: str) -> str:
    """Return the time to the first byte and the last of a download, and its size, as text."""
    began = time.perf_counter()
    size, first = 0, 0.0
    with http.stream("GET", path) as response:
        assert response.status_code == 200, (path, response.status_code)
        for part in response.iter_bytes():
            first = first or time.perf_counter() - began
            size += len(part)
    return f"begins after {1000 * first:6.0f} ms, takes {time.perf_counter() - began:6.1f} s  {size / 1e6:7.1f} MB"


if __name__ == "__main__":
    sys.exit(main())
