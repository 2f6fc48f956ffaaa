"""What a client may send over the socket, and what answers it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from rest_framework import serializers

from conversations.api.error_responses import invalid
from conversations.api.parsers import parse_json
from conversations.api.serializer_fields import (
    NAME_LIMIT,
    Id,
    IdempotencyKey,
    Integer,
    Json,
    StrictSerializer,
    String,
    Values,
)
from conversations.api.serializers import ToolResultsSerializer, TurnRequestSerializer, TurnSerializer
from conversations.contract.frame_types import CREATED, Ref
from conversations.errors import InvalidRequest
from conversations.json_types import JSONObject

T = TypeVar("T")
C = TypeVar("C")

NO_COMMAND = 'A frame must be a JSON object with a `type`, such as {"type": "ping"}.'
LARGE = 64 * 1024  # characters, above which a frame takes milliseconds to check


class FrameSerializer(StrictSerializer):
    """A command with a type, and an optional `ref` that responses repeat."""

    type = String()
    ref = Json(str, int, float, shape=Ref, required=False, allow_null=True)


class Create(FrameSerializer, TurnRequestSerializer):
    """Create a turn, and follow its events."""

    conversation = Id()
    idempotency_key = IdempotencyKey(required=False, min_length=1, max_length=255)


class Follow(FrameSerializer):
    """Follow a turn's events after a position."""

    turn = Id()
    after = Integer(required=False, min_value=0, max_value=10**18, default=0)


class OfTurn(FrameSerializer):
    """Stop following a turn (`turn.unfollow`), or stop the turn (`turn.cancel`)."""

    turn = Id()


class FollowExtraction(FrameSerializer):
    """Follow an extraction's events after a position."""

    extraction = Id()
    after = Integer(required=False, min_value=0, max_value=10**18, default=0)


class OfExtraction(FrameSerializer):
    """Stop following an extraction."""

    extraction = Id()


class ToolResults(OfTurn, ToolResultsSerializer):
    """Submit results of the client's tools."""


class OfConversation(FrameSerializer):
    """Follow every turn that begins in a conversation from now on."""

    conversation = Id()


class TurnCreated(serializers.Serializer[object]):
    """The turn was created now, or before with the same idempotency key; its events follow."""

    type = serializers.ChoiceField([CREATED])
    ref = Json(shape=Ref, allow_null=True)
    turn = TurnSerializer()


COMMANDS: dict[str, type[FrameSerializer]] = {
    "turn.create": Create,
    "turn.follow": Follow,
    "turn.unfollow": OfTurn,
    "turn.cancel": OfTurn,
    "turn.tool_results": ToolResults,
    "conversation.follow": OfConversation,
    "extraction.follow": FollowExtraction,
    "extraction.unfollow": OfExtraction,
    "ping": FrameSerializer,
}


async def off_the_loop(check: Callable[[T], C], value: T, *, size: int) -> C:
    """Return what a check makes of a frame, or of its text, of so many characters; in a thread where it is large.

    Nothing else is served while the event loop validates a frame.
    """
    return await asyncio.to_thread(check, value) if size > LARGE else check(value)


def parse_frame(text: str | None) -> JSONObject:
    """Return a frame as an object. Raises InvalidRequest."""
    if text is None:
        raise InvalidRequest("A frame must be text: binary frames are not supported.")
    try:
        frame = parse_json(text)
    except ValueError as error:
        raise InvalidRequest(str(error)) from None
    if not isinstance(frame, dict):
        raise InvalidRequest(NO_COMMAND, details={"type": "missing"})
    return frame


def checked_values(frame: JSONObject) -> Values:
    """Return the checked values of the command in a frame, by the names of its fields. Raises InvalidRequest."""
    kind = frame.get("type")
    if not isinstance(kind, str):
        raise InvalidRequest(NO_COMMAND, details={"type": "missing"})
    if kind not in COMMANDS:
        raise InvalidRequest(
            f"There is no command {kind[:NAME_LIMIT]!r}; there are {', '.join(COMMANDS)}.",
            details={"type": "unknown"},
        )
    try:
        return COMMANDS[kind].checked_values(frame)
    except serializers.ValidationError as error:
        raise invalid(error.detail) from None


def ref_of(frame: JSONObject) -> str | float | None:
    """Return what the answer to a frame refers to it by; None where it has no `ref`, or one that is not taken."""
    ref = frame.get("ref")
    return ref if isinstance(ref, str | int | float) and not isinstance(ref, bool) else None
