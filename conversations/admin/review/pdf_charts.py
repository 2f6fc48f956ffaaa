"""The charts of the printed report, drawn as rectangles and lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import ROUND_CEILING, Decimal

from conversations.admin.review.charts import COLOURS
from conversations.admin.review.pdf_document import INK, MARGIN, RULE, SOFT, WIDTH, Document

AXIS = 16.0
"""Millimetres at the left for the amounts."""
HEIGHT = 46.0
LEGEND = 44.0
"""Millimetres of an entry of the legend."""
STEPS = (1, 2, 5, 10)


def stacked(document: Document, days: Sequence[date], series: Mapping[str, Sequence[Decimal]]) -> None:
    """Draw a column for each day, stacked from the values of the series in US dollars, with a legend."""
    top = document.get_y()
    sums = [sum(values, Decimal(0)) for values in zip(*series.values(), strict=True)] or [Decimal(0)]
    step = _step(max(sums))
    most = step * max((max(sums) / step).to_integral_value(ROUND_CEILING), Decimal(1))
    _axis(document, top, most, step)
    room = (WIDTH - AXIS) / max(len(days), 1)
    for at, day in enumerate(days):
        x, y = MARGIN + AXIS + at * room, top + HEIGHT
        for number, values in enumerate(series.values()):
            height = float(max(values[at], Decimal(0)) / most) * HEIGHT
            y -= height
            document.rectangle(x + room * 0.15, y, room * 0.7, height, COLOURS[number % len(COLOURS)])
        document.write_at(x, top + HEIGHT + 1, room, str(day.day), size=6, colour=SOFT)
    _legend(document, top + HEIGHT + 6, list(series))


def _axis(document: Document, top: float, most: Decimal, step: Decimal) -> None:
    document.set_draw_color(RULE)
    document.set_line_width(0.15)
    for number in range(int(most / step) + 1):
        y = top + HEIGHT * (1 - float(step * number / most))
        document.line(MARGIN + AXIS, y, MARGIN + WIDTH, y)
        document.write_at(MARGIN, y - 1.6, AXIS, f"${step * number:,f}", size=6.5, colour=SOFT, right=True)


def _step(most: Decimal) -> Decimal:
    """Return the distance of an axis's lines: 1, 2 or 5 times a power of ten, so that there are four or five lines."""
    if most <= 0:
        return Decimal(1)
    power = Decimal(10) ** ((most / 4).adjusted())
    found = next(step * power for step in STEPS if step * power * 4 >= most)
    return found.quantize(Decimal(1)) if found >= 1 else found.normalize()


def _legend(document: Document, y: float, names: Sequence[str]) -> None:
    across = int(WIDTH // LEGEND)
    for number, name in enumerate(names):
        x = MARGIN + (number % across) * LEGEND
        row = y + (number // across) * 4.5
        document.rectangle(x + 1, row + 0.8, 2.4, 2.4, COLOURS[number % len(COLOURS)])
        document.write_at(x + 4, row, LEGEND - 4, name, size=7.5, colour=INK)
    document.set_xy(MARGIN, y + -(-len(names) // across) * 4.5 + 2)
