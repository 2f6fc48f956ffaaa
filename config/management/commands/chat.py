from __future__ import annotations

import sys
from typing import Any

import httpx2
from django.core.management.base import BaseCommand, CommandError, CommandParser

from config import local
from config.chat.api_client import ChatClient
from config.chat.prompt import HELP, messages
from config.chat.screen import PlainScreen, Screen, TerminalScreen, bill
from config.chat.stopping import StopOnInterrupt
from config.server_access import Answer, Refused, add_server_options, check_token, refusals_told

NOT_STOPPED = "The answer could not be stopped, and continues (Ctrl-C quits without waiting): {}"


class Command(BaseCommand):
    """The command `manage.py chat`: talk to a running server in the terminal."""

    help = "Chats with Claude through a running server's API; without a message, reads messages from the terminal."
    requires_system_checks = []  # they would load every page of the API and the admin, which the server has

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the message, the model and the server."""
        parser.add_argument("message", nargs="?")
        add_server_options(parser)
        parser.add_argument("--conversation", help="the id of a conversation to continue; default: a new one")
        parser.add_argument("--model")

    def handle(self, *args: object, **options: Any) -> None:
        """Ask one message, or all that the user types."""
        check_token(options)
        client = ChatClient(options["url"], options["token"])
        screen: Screen = TerminalScreen() if sys.stdout.isatty() else PlainScreen()
        try:
            with refusals_told(options["url"]):
                conversation = options["conversation"] or client.begin(options["model"])
                if options["message"]:
                    ask(client, screen, conversation, options["message"])
                else:
                    converse(client, screen, conversation)
        except KeyboardInterrupt:
            raise CommandError("Interrupted; the conversation is kept.", returncode=130) from None
        finally:
            client.close()


def converse(client: ChatClient, screen: Screen, conversation: str) -> None:
    """Ask each typed message. An error is shown, and the conversation goes on."""
    if sys.stdin.isatty():
        screen.note(HELP)
    for message in messages(local.data_dir() / "chat_history"):
        try:
            ask(client, screen, conversation, message)
        except Refused as refused:
            screen.note(str(refused), error=True)
        except httpx2.HTTPError as error:
            screen.note(f"The server can't be reached: {error}", error=True)
        except KeyboardInterrupt:
            screen.note("The server has not stopped yet; the conversation is kept.", error=True)
    if sys.stdin.isatty():
        screen.note(f"To go on: manage.py chat --conversation {conversation}")


def ask(client: ChatClient, screen: Screen, conversation: str, message: str) -> None:
    """Ask one message, show the answer and its cost. Ctrl-C stops the answer and keeps its text."""
    notes: list[tuple[str, bool]] = []
    with StopOnInterrupt(client.cancel, lambda why: screen.note(NOT_STOPPED.format(why), error=True)) as stopping:
        screen.begin()
        try:
            for event in client.ask(conversation, message):
                stopping.know(event["turn"])
                show(screen, event, notes)
        finally:
            screen.end()
    for text, is_error in notes:
        screen.note(text, error=is_error)


def show(screen: Screen, event: Answer, notes: list[tuple[str, bool]]) -> None:
    """Show an event's text; add notes for below the answer, each with whether it is an error."""
    if event.get("delta", {}).get("type") == "text_delta":
        screen.text(event["delta"]["text"])
    elif event["type"] == "error":
        notes.append((event["error"]["message"], True))
    elif event["type"] == "turn_end":
        notes.append((bill(event), False))
