from __future__ import annotations

import asyncio
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from conversations.claude import client
from conversations.errors import ClaudeError
from conversations.services import model_listing


class Command(BaseCommand):
    help = "Updates the list of models, and what they support, from Claude's Models API."

    def handle(self, *args: object, **options: Any) -> None:
        """Refresh the catalogue of models; running processes are notified."""
        try:
            rows = asyncio.run(_listed())
        except ClaudeError as error:
            raise CommandError(f"The Models API did not answer: {error}") from None
        model_listing.store_listing(rows)
        self.stdout.write(f"{len(rows)} models.")


async def _listed() -> list[dict[str, object]]:
    try:
        return await client.list_models()
    finally:
        await client.close_client()
