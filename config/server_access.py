"""How commands find and use a running server: URL, token and error messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeAlias

import httpx2
from django.core.management.base import CommandError, CommandParser

from config import local
from conversations.contract.error_types import Failure

Answer: TypeAlias = dict[str, Any]
"""A JSON object in a response of the server, as the OpenAPI document describes it."""


class Refused(Exception):
    """The server has refused something; the text is what it says."""

    def __init__(self, message: str, type: str = "api_error") -> None:
        super().__init__(message)
        self.error: Failure = {"type": type, "message": message}


def add_server_options(parser: CommandParser) -> None:
    """Declare `--url` and `--token`; by default those of the server that `up` runs on this machine."""
    server, token = local.recorded_server()
    parser.add_argument(
        "--url", default=server or "http://127.0.0.1:8000", help="the server's URL; default: the server that `up` runs"
    )
    parser.add_argument(
        "--token", default=token, help="an API token; default: the one that `up` stores on this machine"
    )


def check_token(options: Mapping[str, object]) -> None:
    """Raise CommandError where there is no token."""
    if not options["token"]:
        raise CommandError("There is no token: run `manage.py up` first, or give --token.")


@contextmanager
def refusals_told(url: str) -> Iterator[None]:
    """Raise CommandError for errors of the server at this URL, and if it can't be reached."""
    try:
        yield
    except Refused as refused:
        raise CommandError(str(refused)) from None
    except httpx2.HTTPError as error:
        raise CommandError(f"{url} can't be reached: {error}") from None
