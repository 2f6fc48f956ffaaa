from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx2
from django.core.management.base import BaseCommand, CommandError, CommandParser

from config import local

TIMEOUT = httpx2.Timeout(30, read=60)  # seconds; a live stream is never silent for longer than 15


class Command(BaseCommand):
    """`manage.py chat`."""

    help = "Talks to a running server over its API; without a message, asks for one after the other."

    def add_arguments(self, parser: CommandParser) -> None:
        """What to say, and to whom."""
        server, token = local.recorded_server()
        parser.add_argument("message", nargs="?")
        parser.add_argument("--url", default=server or "http://127.0.0.1:8000", help="default: where `up` runs")
        parser.add_argument("--token", default=token, help="default: the one that `up` keeps for this machine")
        parser.add_argument("--conversation", help="an id; default: a new one")
        parser.add_argument("--model")

    def handle(self, *args: Any, **options: Any) -> None:
        """One turn, or as many as are asked for."""
        if not options["token"]:
            raise CommandError("There is no token: run `manage.py up` first, or give --token.")
        headers = {"Authorization": f"Bearer {options['token']}"}
        with httpx2.Client(base_url=options["url"], headers=headers, timeout=TIMEOUT) as client:
            try:
                conversation = options["conversation"] or begin(client, options["model"])
                for message in [options["message"]] if options["message"] else prompts():
                    self._say(client, conversation, message)
            except httpx2.HTTPError as error:
                raise CommandError(f"{options['url']} can't be reached: {error}") from None

    def _say(self, client: httpx2.Client, conversation: str, message: str) -> None:
        for event in events(client, conversation, message):
            if event.get("delta", {}).get("type") == "text_delta":
                self.stdout.write(event["delta"]["text"], ending="")
                self.stdout.flush()
            elif event["type"] == "error":
                self.stderr.write(event["error"]["message"])
        self.stdout.write("")


def prompts() -> Iterator[str]:
    """What the user types, until the end of input."""
    while True:
        try:
            message = input("> ").strip()
        except (EOFError, KeyboardInterrupt):
            return
        if message:
            yield message


def begin(client: httpx2.Client, model: str | None) -> str:
    """A new conversation."""
    response = client.post("/api/conversations/", json={"model": model} if model else {})
    refuse(response)
    return str(response.json()["id"])


def events(client: httpx2.Client, conversation: str, message: str) -> Iterator[dict[str, Any]]:
    """The events of a turn."""
    path = f"/api/conversations/{conversation}/turns/"
    with client.stream("POST", path, json={"content": message}, headers={"Accept": "text/event-stream"}) as response:
        if response.is_error:
            response.read()
        refuse(response)
        for line in response.iter_lines():
            if line.startswith("data: "):
                yield json.loads(line.removeprefix("data: "))


def refuse(response: httpx2.Response) -> None:
    """Says what the API says."""
    if response.is_error:
        raise CommandError(response.json()["error"]["message"])
