"""Parsing the HTML of the admin's usage review pages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from html import unescape

ROW = re.compile(
    r'<td class="label"><a href="(?P<url>[^"]+)">(?P<label>.*?)</a>.*?<td class="number">(?P<requests>-?[\d,]+)</td>'
    r'.*?data-cost="(?P<cost>[^"]+)"',
    re.DOTALL,
)


@dataclass(frozen=True)
class Row:
    """One row of a review level's table."""

    label: str
    url: str
    requests: int
    cost: Decimal


@dataclass(frozen=True)
class Level:
    """One page of the drill-down from a period to a single request."""

    name: str
    cost: Decimal
    requests: int
    rows: list[Row]


def level(page: str) -> Level:
    """Parse a review page."""
    name = re.search(r'data-level="(\w+)"', page)
    cost = re.search(r'data-total="cost">\s*<span[^>]*data-cost="([^"]+)"', page)
    assert name
    assert cost
    table = page[page.index('<table id="level"') :]
    rows = [
        Row(unescape(found["label"]), unescape(found["url"]), _number(found["requests"]), Decimal(found["cost"]))
        for found in ROW.finditer(table)
    ]
    return Level(name[1], Decimal(cost[1]), _number(total(page, "requests")), rows)


def total(page: str, name: str) -> str:
    """Return one of the sums on a page, as text."""
    found = re.search(f'data-total="{name}">(.*?)</dd>', page)
    assert found, f"there is no total of {name}"
    return re.sub("<[^>]*>", "", found[1]).strip()


def listed(page: str) -> str:
    """Return the number of rows that a list page says it has."""
    found = re.search(r'data-total="rows">(.*?)</div>', page)
    assert found, "the list does not say how many rows it has"
    return found[1].strip()


def _number(text: str) -> int:
    return int(text.replace(",", ""))
