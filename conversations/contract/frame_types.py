"""What the server sends over the WebSocket besides the events of turns."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from conversations.contract.error_types import ErrorDetail

Ref = Annotated[
    str | int | float,
    Field(description="Chosen by the client, to tell by which frame an answer is caused; null where it gave none."),
]


CREATED = "turn.created"
"""The type of the frame that answers the beginning of a turn."""


class Ok(TypedDict):
    """The command is done."""

    type: Literal["ok"]
    ref: Ref | None


class Pong(TypedDict):
    """The answer to a ping; with its `ref` if it had one."""

    type: Literal["pong"]
    ref: NotRequired[Ref | None]


class ErrorFrame(TypedDict):
    """A frame could not be followed; the socket stays open."""

    type: Literal["error"]
    ref: Ref | None
    error: ErrorDetail
