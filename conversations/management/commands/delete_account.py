from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from conversations.models import Deletion, User
from conversations.services.deletion import account_deletion


class Command(BaseCommand):
    """The command `manage.py delete_account`: deletes a user with all their data."""

    help = "Deletes a user with all their data, and prints what was deleted. The ledger is kept, under a pseudonym."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments: the user, and the confirmation."""
        parser.add_argument("username")
        parser.add_argument("--yes", action="store_true", help="do not ask for confirmation")

    def handle(self, *args: Any, **options: Any) -> None:
        """Delete the account once it is confirmed, and print the numbers of deleted objects by kind."""
        name = options["username"]
        user = User.objects.filter(username=name).first()
        if user is None:
            raise CommandError(f"There is no user with the name {name}.")
        if not options["yes"] and input(f"Delete {name} with everything of theirs, for ever? [y/N] ").lower() != "y":
            raise CommandError("Nothing was deleted.")
        report = account_deletion.delete_account(user=user, cause=Deletion.Cause.COMMAND)
        for kind, count in report.erased.items():
            self.stdout.write(f"{count} {kind.replace('_', ' ')}")
