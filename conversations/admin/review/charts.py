"""The data of charts, for Chart.js."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

# Colours that are distinguishable on white and on black.
COLOURS = ("#7c3aed", "#0891b2", "#ea580c", "#65a30d", "#db2777", "#ca8a04", "#64748b")
GREY = "#9ca3af"
LABEL = 28  # characters


@dataclass(frozen=True)
class Chart:
    """A chart for the page's script, with its data and options as JSON."""

    id: str
    title: str
    kind: str
    data: str
    options: str
    url: str
    """The URL of the table with the chart's numbers."""


def stacked(id: str, title: str, days: Sequence[date], series: Mapping[str, Sequence[object]], url: str) -> Chart:
    """Return a bar chart with one bar a day, stacked from the values of the series."""
    sets = [
        {"label": name, "data": values, "backgroundColor": COLOURS[at % len(COLOURS)], "maxBarThickness": 28}
        for at, (name, values) in enumerate(series.items())
    ]
    return _chart(id, title, "bar", [_label(day) for day in days], sets, url, stacked=True, legend=len(sets) > 1)


def line(id: str, title: str, days: Sequence[date], values: list[float | None], url: str) -> Chart:
    """Return a line chart of a percentage by day."""
    colour = COLOURS[1]
    sets = [{"label": "%", "data": values, "borderColor": colour, "backgroundColor": colour, "borderWidth": 2}]
    return _chart(id, title, "line", [_label(day) for day in days], sets, url, amounts={"max": 100})


def bars(id: str, title: str, values: Sequence[tuple[str, Decimal | float]], url: str) -> Chart:
    """Return a chart with one horizontal bar for each name."""
    names = [name if len(name) <= LABEL else f"{name[: LABEL - 1]}…" for name, _ in values]
    data = [float(value) for _, value in values]
    sets = [{"label": "USD", "data": data, "backgroundColor": COLOURS[0], "maxBarThickness": 18}]
    return _chart(id, title, "bar", names, sets, url, sideways=True)


def _label(day: date) -> str:
    return f"{day:%b} {day.day}"


def _chart(
    id: str,
    title: str,
    kind: str,
    labels: list[str],
    sets: Sequence[Mapping[str, object]],
    url: str,
    *,
    stacked: bool = False,
    legend: bool = False,
    sideways: bool = False,
    amounts: Mapping[str, object] | None = None,
) -> Chart:
    names = {"stacked": stacked, "ticks": {"color": GREY, "maxRotation": 0}, "grid": {"display": False}}
    numbers = {"stacked": stacked, "ticks": {"color": GREY, "maxTicksLimit": 6}, "beginAtZero": True, **(amounts or {})}
    options = {
        "animation": False,
        "responsive": True,
        "maintainAspectRatio": False,
        "indexAxis": "y" if sideways else "x",
        "scales": {"x": numbers, "y": names} if sideways else {"x": names, "y": numbers},
        "plugins": {
            "legend": {"display": legend, "position": "bottom", "labels": {"color": GREY, "boxWidth": 12}},
        },
    }
    return Chart(id, title, kind, json.dumps({"labels": labels, "datasets": sets}), json.dumps(options), url)
