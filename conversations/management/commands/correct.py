from __future__ import annotations

import json
import uuid
from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from conversations.claude import pricing
from conversations.errors import ColloquyError
from conversations.models import Usage
from conversations.services.billing import ledger


class Command(BaseCommand):
    """The command `manage.py correct`: corrects a request's ledger rows by additional ones."""

    help = "Cancels the ledger's booking of a request, and books it again if --usage or --again is given."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options: the row, the reason, and the right usage."""
        parser.add_argument("row", type=uuid.UUID, help="the id of any ledger row of the request")
        parser.add_argument("--reason", required=True)
        right = parser.add_mutually_exclusive_group()
        right.add_argument("--usage", type=usage_object, help="the correct usage object, as JSON in Claude's format")
        right.add_argument(
            "--again", action="store_true", help="book the same usage at the prices of that day as they are known now"
        )
        parser.add_argument("--model", default="", help="the model that answered; default: the model in the row")

    def handle(self, *args: object, **options: Any) -> None:
        """Add the correcting rows, and print them."""
        row = Usage.objects.filter(pk=options["row"]).first()
        if row is None:
            raise CommandError(f"The ledger has no row with the id {options['row']}.")
        if options["model"] and not (options["usage"] or options["again"]):
            raise CommandError("--model needs --usage or --again: without them nothing is booked.")
        try:
            used = ledger.standing_row(row).raw if options["again"] else options["usage"]
            added = ledger.correct(row=row, reason=options["reason"], usage=used, model=options["model"])
        except ColloquyError as error:
            raise CommandError(error.message) from None
        for each in added:
            cost = "unknown" if each.cost is None else f"${pricing.decimal_string(each.cost)}"
            self.stdout.write(f"{each.pk}: {each}, {cost}")


def usage_object(text: str) -> dict[str, object]:
    """Parse a JSON object."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ArgumentTypeError('must be a JSON object, such as {"input_tokens": 12, "output_tokens": 5}')
    return found
