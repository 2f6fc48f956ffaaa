"""Writes a month's usage report."""

from __future__ import annotations

import argparse
from datetime import UTC, date, datetime
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser

from conversations.admin.review.form import FIRST, LAST


class Command(BaseCommand):
    """Write the report of a month of all users as a PDF."""

    help = "Writes the usage report of a month as a PDF file."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the month, and the file."""
        parser.add_argument("month", type=_month, help="the month, such as 2026-11")
        parser.add_argument(
            "--output", type=Path, help="the file to write; default: such as usage_2026-11.pdf, in this folder"
        )

    def handle(self, *args: object, month: date, output: Path | None, **options: object) -> None:
        """Write the file, and say where it is."""
        from conversations import clock
        from conversations.admin.review import report, report_pdf
        from conversations.admin.review.scope import Scope

        now = clock.now()
        if month > now.date():
            raise CommandError(f"{month:%Y-%m} has not begun: choose a month until {now:%Y-%m}.")
        found = report.Month.of(Scope(month, month), month, now.date())
        reader = report.Reader("manage.py usage_report", titles=True, budgets=True)
        file = output or Path(f"usage_{month:%Y-%m}.pdf")
        file.write_bytes(report_pdf.drawn(report.read(found, reader, now)))
        self.stdout.write(f"Written to {file}.")


def _month(text: str) -> date:
    try:
        month = datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC).date()
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a month as in 2026-11") from None
    if not FIRST <= month <= LAST:
        raise argparse.ArgumentTypeError(f"a month between {FIRST:%Y-%m} and {LAST:%Y-%m}")
    return month
