from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from conversations.services.billing import ledger_audit


class Command(BaseCommand):
    help = "Checks that the holds and spending of all budgets agree with the ledger."

    def handle(self, *args: object, **options: Any) -> None:
        """Print the differences; exit with an error if there are any."""
        found = ledger_audit.audit()
        for problem in found.problems:
            self.stderr.write(problem)
        if found.problems:
            raise CommandError(str(found))
        self.stdout.write(f"{str(found).capitalize()} ({found.seconds:.1f} s).")
