from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from config import local
from config.web_server import bound, refuse_sandbox_for_others, serve


class Command(BaseCommand):
    """The command `manage.py serve`: serve the API, the WebSocket and the admin."""

    help = "Serves the API, the WebSocket and the admin; runs turns unless COLLOQUY_RUN_TURNS=false."
    requires_system_checks = []  # they would load every page in the process that only starts the workers

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options: where to listen, and with how many workers."""
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--workers", type=int, default=1, help="the number of processes that share the port")
        parser.add_argument(
            "--sandbox",
            action="store_true",
            default=settings.COLLOQUY_ALLOW_SANDBOX,
            help="if there is no API key, allow the sandbox to answer users on other machines too",
        )

    def handle(self, *args: object, **options: Any) -> None:
        """Serve until a signal."""
        host, port, workers = options["host"], options["port"], options["workers"]
        refuse_sandbox_for_others(host, options["sandbox"])
        listening = bound(host, port)
        try:
            serve(listening, workers, lambda: self._greet(host, listening.getsockname()[1], workers))
        finally:
            local.stop_sandbox()
            local.stop_postgres()

    def _greet(self, host: str, port: int, workers: int) -> None:
        self.stdout.write(f"Colloquy serves at http://{host}:{port} ({workers} of its processes).")
        self.stdout.flush()
