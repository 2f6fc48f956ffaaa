"""Charts show the data that they are given: every day and name has its place, its colour and its value."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from conversations.admin.review.charts import COLOURS, LABEL, bars, line, stacked

DAYS = [date(2026, 2, 28), date(2026, 3, 1)]


def drawn(chart: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    return json.loads(chart.data), json.loads(chart.options)


def test_a_day_is_a_bar_of_all_its_series() -> None:
    chart = stacked("cost", "Cost", DAYS, {"opus": [1.5, 2], "haiku": [None, 3]}, "/x/")
    data, options = drawn(chart)
    assert (chart.id, chart.title, chart.kind, chart.url) == ("cost", "Cost", "bar", "/x/")
    assert data["labels"] == ["Feb 28", "Mar 1"]
    assert [(each["label"], each["data"]) for each in data["datasets"]] == [("opus", [1.5, 2]), ("haiku", [None, 3])]
    assert options["scales"]["x"]["stacked"] is options["scales"]["y"]["stacked"] is True
    assert options["scales"]["y"]["beginAtZero"] is True
    assert options["indexAxis"] == "x"


@pytest.mark.parametrize(("count", "legend"), [(1, False), (2, True)])
def test_series_are_named_where_there_are_several(count: int, legend: bool) -> None:
    _, options = drawn(stacked("a", "A", DAYS, {f"s{number}": [1, 2] for number in range(count)}, ""))
    assert options["plugins"]["legend"]["display"] is legend


def test_there_are_as_many_colours_as_needed() -> None:
    data, _ = drawn(stacked("a", "A", DAYS, {f"s{number}": [1, 2] for number in range(len(COLOURS) + 1)}, ""))
    found = [each["backgroundColor"] for each in data["datasets"]]
    assert found == [*COLOURS, COLOURS[0]]
    assert len(set(COLOURS)) == len(COLOURS)


def test_a_share_is_a_line_up_to_a_hundred() -> None:
    data, options = drawn(line("cache", "Cache", DAYS, [None, 12.5], "/x/"))
    assert data["datasets"][0]["data"] == [None, 12.5], "a day without input has no share, and not one of zero"
    assert options["scales"]["y"]["max"] == 100
    assert options["scales"]["y"]["stacked"] is False


def test_names_stand_beside_their_bars_and_are_cut_where_they_are_long() -> None:
    values: list[tuple[str, Decimal | float]] = [("a" * LABEL, Decimal("1.5")), ("b" * (LABEL + 1), 2.0)]
    data, options = drawn(bars("top", "Top", values, "/x/"))
    assert data["labels"] == ["a" * LABEL, "b" * (LABEL - 1) + "…"]
    assert data["datasets"][0]["data"] == [1.5, 2.0]
    assert options["indexAxis"] == "y"
    assert options["scales"]["x"]["beginAtZero"] is True, "the amounts are along the bars"
    assert "beginAtZero" not in options["scales"]["y"]
