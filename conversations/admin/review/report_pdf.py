"""The monthly report as a PDF for printing."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from conversations.admin.review import pdf_charts
from conversations.admin.review.budget_outlook import Outlook
from conversations.admin.review.dashboard import OTHERS, SHOWN_MODELS
from conversations.admin.review.effects import Effects
from conversations.admin.review.pdf_document import BOTTOM, INK, MARGIN, ROW, RULE, SOFT, WIDTH, Column, Document
from conversations.admin.review.report import Line, Report
from conversations.admin.review.totals import Sums
from conversations.claude.pricing import decimal_string
from conversations.templatetags.amounts import change, percent, usd

NARROW = 24.0
TOLD = 3
"""The maximal number of reasons that are shown for a difference."""
CENT = Decimal("0.01")
CARD, GAP = 41.5, 4.0
"""Millimetres: the width of a card, and what is between two."""
SPENT, HELD, FULL = "#7c3aed", "#ca8a04", "#dc2626"


def drawn(report: Report) -> bytes:
    """Draw a report as a PDF; return its bytes."""
    first = report.scope.since
    made = f"Made {report.made_at:%Y-%m-%d %H:%M} UTC by {report.made_by}"
    with tempfile.TemporaryDirectory() as folder:
        document = Document(f"Usage in {first:%B %Y}", made, Path(folder))
        for part in (_top, _cards, _outlook, _charts, _models, _users, _changed, _unusual):
            part(document, report)
        for part in (_conversations, _budgets, _days, _notes):
            part(document, report)
        return bytes(document.output())


def _top(document: Document, report: Report) -> None:
    first, last = report.scope.span
    document.write_line(f"Usage in {first:%B %Y}", size=20, bold=True)
    document.ln(1)
    whole = "" if report.month.is_over else ", and the month is not over"
    limits = ", ".join(f"{name} {value}" for name, value in report.filters) or "everybody"
    document.write_line(f"{first} to {last}{whole}. Of {limits}.", size=9.5, colour=SOFT)
    document.ln(3)


def _cards(document: Document, report: Report) -> None:
    now, before = report.whole.now, report.whole.before
    unpriced = f"and {now.unpriced:,} of unknown price" if now.unpriced else f"{decimal_string(now.cost)} USD exactly"
    cards = [
        ("Cost", usd(now.cost), unpriced, f"before: {usd(before.cost)} {change(now.cost, before.cost)}"),
        ("Requests", f"{now.requests:,}", "", f"before: {before.requests:,} {change(now.requests, before.requests)}"),
        ("Tokens", f"{now.tokens:,}", "", f"before: {before.tokens:,} {change(now.tokens, before.tokens)}"),
        ("From the cache", percent(now.cache_share), "of the input", f"before: {percent(before.cache_share)}"),
    ]
    y = document.get_y()
    for number, card in enumerate(cards):
        _card(document, MARGIN + number * (CARD + GAP), y, card)
    document.set_xy(MARGIN, y + 26)
    if now.unpriced:
        document.write_note(f"The cost is {decimal_string(now.cost)} USD exactly, as far as prices are known.")


def _card(document: Document, x: float, y: float, card: Sequence[str]) -> None:
    label, amount, exactly, before = card
    document.set_draw_color(RULE)
    document.set_line_width(0.25)
    document.rect(x, y, CARD, 23, round_corners=True, corner_radius=1.5)
    document.write_at(x + 1, y + 1.8, CARD - 2, label, size=7.5, colour=SOFT)
    document.write_at(x + 1, y + 6.2, CARD - 2, amount, size=14, bold=True)
    document.write_at(x + 1, y + 13.4, CARD - 2, exactly, size=7, colour=SOFT)
    document.write_at(x + 1, y + 17.8, CARD - 2, before, size=7, colour=SOFT)


def _outlook(document: Document, report: Report) -> None:
    """Write the forecast of the month, and the reasons of the difference to the month before."""
    first, last = report.before.span
    document.write_note(f"“Before” is {first} to {last}. Days begin at midnight UTC.")
    if report.forecast is not None:
        document.ln(1)
        document.write_line(_forecast(report), bold=True)
    if told := _reasons(report.whole.why):
        document.write_line(f"{_signed(report.whole.difference)} since before: {told}.")


def _forecast(report: Report) -> str:
    found = report.forecast
    if found is None or not found.is_known:
        return "There are too few days to tell what the month will cost."
    low, high = (usd(each) for each in found.likely)
    sure = f"likely {low} to {high}" if found.is_sure else f"from {found.known} days only, so it may be far off"
    limit = f"; budget {usd(report.outlook.meter.budget.limit)}: {report.outlook.words}" if report.outlook else ""
    return f"At this rate {found.month:%B} will cost {usd(found.whole)} ({sure}){limit}."


def _charts(document: Document, report: Report) -> None:
    document.heading("Cost by day and model (US dollars)", room=70)
    shown = [line.label for line in report.models if line.now.requests][:SHOWN_MODELS]
    days = report.scope.days
    nothing = Sums()
    series = {model: [report.by_day_and_model.get((day, model), nothing).cost for day in days] for model in shown}
    rest = [
        report.days.get(day, nothing).cost - sum((values[at] for values in series.values()), Decimal(0))
        for at, day in enumerate(days)
    ]
    pdf_charts.stacked(document, days, {**series, OTHERS: rest} if any(rest) else series)


def _models(document: Document, report: Report) -> None:
    _compared(document, "By model", "Model", report.models, report.whole.now, report.whole.before)


def _users(document: Document, report: Report) -> None:
    _compared(document, "By user", "User", report.users, report.whole.now, report.whole.before)


def _compared(document: Document, title: str, of: str, lines: Sequence[Line], now: Sums, before: Sums) -> None:
    document.heading(title)
    columns = [
        Column(of, WIDTH - 5 * NARROW, is_number=False),
        *(Column(heading, NARROW) for heading in ("Requests", "Tokens", "Cost", "Before", "Change")),
    ]
    rows = [_cells(line.label, line.now, line.before or Sums()) for line in lines]
    document.tabulate(columns, rows, _cells("Together", now, before))


def _cells(label: str, now: Sums, before: Sums) -> list[str]:
    amounts = [f"{now.requests:,}", f"{now.tokens:,}", usd(now.cost), usd(before.cost)]
    return [label, *amounts, change(now.cost, before.cost) or "new"]


def _changed(document: Document, report: Report) -> None:
    if not report.changed:
        return
    document.heading("What changed most")
    columns = [Column("User", 48, is_number=False), Column("Difference", NARROW), Column("Why", 106, is_number=False)]
    rows = [[each.label, _signed(each.difference), _reasons(each.why)] for each in report.changed]
    document.tabulate(columns, rows)


def _unusual(document: Document, report: Report) -> None:
    if not report.unusual:
        return
    document.heading("Far above their own weeks before")
    columns = [
        Column("User", 34, is_number=False),
        Column("Week of", 20, is_number=False),
        Column("Cost", 18),
        Column("What is unusual", 106, is_number=False),
    ]
    rows = [[each.name, str(each.week[0]), usd(each.cost), each.words] for each in report.unusual]
    document.tabulate(columns, rows)


def _conversations(document: Document, report: Report) -> None:
    if not report.conversations:
        return
    document.heading("Most expensive conversations")
    columns = [
        Column("Conversation", 82, is_number=False),
        Column("User", 36, is_number=False),
        *(Column(heading, 20) for heading in ("Requests", "Tokens", "Cost")),
    ]
    rows = [
        [line.label, line.note, f"{line.now.requests:,}", f"{line.now.tokens:,}", usd(line.now.cost)]
        for line in report.conversations
    ]
    document.tabulate(columns, rows)


def _budgets(document: Document, report: Report) -> None:
    if not report.budgets:
        return
    document.heading("Budgets used most")
    columns = [
        Column("Budget", 72, is_number=False),
        Column("Used", 56, is_number=False),
        Column("At this rate", 50, is_number=False),
    ]
    document.header_of(columns)
    for outlook in report.budgets:
        if document.get_y() + ROW > document.h - BOTTOM:
            document.add_page()
        _meter(document, outlook)


def _meter(document: Document, outlook: Outlook) -> None:
    """Draw a budget's line with a bar of spending and holds."""
    y, meter = document.get_y(), outlook.meter
    document.write_at(MARGIN, y + 1, 72, str(meter.budget), colour=INK)
    document.rectangle(MARGIN + 76, y + 1.6, 26, 2.4, RULE)
    document.rectangle(MARGIN + 76, y + 1.6, 26 * meter.spent / 100, 2.4, FULL if meter.full else SPENT)
    document.rectangle(MARGIN + 76 + 26 * meter.spent / 100, y + 1.6, 26 * meter.held / 100, 2.4, HELD)
    document.write_at(MARGIN + 103, y + 1, 28, meter.words, size=7, colour=SOFT)
    document.write_at(MARGIN + 131, y + 1, 47, outlook.words)
    document.set_xy(MARGIN, y + ROW)


def _days(document: Document, report: Report) -> None:
    document.heading("By day")
    columns = [
        Column("Day", 58, is_number=False),
        *(Column(heading, 30) for heading in ("Requests", "Tokens", "From the cache", "Cost")),
    ]
    rows = [_day(f"{day}, {day:%A}", report.days.get(day, Sums())) for day in report.scope.days]
    document.tabulate(columns, rows, _day("Together", report.whole.now))


def _day(label: str, sums: Sums) -> list[str]:
    return [label, f"{sums.requests:,}", f"{sums.tokens:,}", percent(sums.cache_share), usd(sums.cost)]


def _notes(document: Document, report: Report) -> None:
    document.ln(3)
    document.write_note(
        "Costs are of the prices on the day of each request; what has no known price is not in them. The reasons of a "
        "difference add up to it: the number of requests, at what a request cost before; the models that they went "
        "to; how many tokens a request to the same model had; and what a token cost there, by its price or its kind."
        + document.missing
    )


def _reasons(why: Effects) -> str:
    return ", ".join(f"{_signed(part)} {words}" for words, part in why.told[:TOLD])


def _signed(amount: Decimal) -> str:
    """Return a difference in US dollars with its sign, with cents if it has any."""
    shown = amount.quantize(CENT)
    return f"{'+' if amount > 0 else '-' if amount < 0 else ''}{f'${abs(shown):,}' if shown else usd(abs(amount))}"
