"""What the server sends over the WebSocket besides the events of turns."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from conversations.contract.error_types import ErrorDetail

Ref = Annotated[
    str | int | float,
    Field(description="An identifier chosen by the client, which responses to its frame repeat; null if it sent none."),
]


CREATED = "turn.created"
"""The type of the frame that answers the beginning of a turn."""


class Ok(TypedDict):
    """The command was executed."""

    type: Literal["ok"]
    ref: Ref | None


class Pong(TypedDict):
    """The response to a ping, with its `ref` if it had one."""

    type: Literal["pong"]
    ref: NotRequired[Ref | None]


class ErrorFrame(TypedDict):
    """A command was refused; the socket stays open."""

    type: Literal["error"]
    ref: Ref | None
    error: ErrorDetail
