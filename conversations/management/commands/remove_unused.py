from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand

from conversations.services.files import attachment_removal


class Command(BaseCommand):
    help = "Removes attachments that were uploaded but never used."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the option: the age from which on unused attachments are removed."""
        parser.add_argument("--days", type=float, default=7)

    def handle(self, *args: object, **options: Any) -> None:
        """Remove the attachments that no message uses, and print their number."""
        removed = attachment_removal.remove_unused(older_than=timedelta(days=options["days"]))
        self.stdout.write(f"{removed} removed.")
