from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config.server import serve


class Command(BaseCommand):
    """`manage.py serve`."""

    help = "Serves the API, the WebSocket and the admin; runs turns unless COLLOQUY_RUN_TURNS=false."

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to listen."""
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--workers", type=int, default=1, help="processes that share the port")

    def handle(self, *args: Any, **options: Any) -> None:
        """Serves until a signal."""
        serve(options["host"], options["port"], options["workers"])
