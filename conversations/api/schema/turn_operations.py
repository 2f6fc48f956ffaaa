"""The operations on turns, as the OpenAPI document describes them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema

from conversations.api.schema.components import Shape
from conversations.api.schema.error_components import ASKED_CLAUDE, errors
from conversations.api.serializers import (
    SettingsSerializer,
    ToolResultsSerializer,
    TurnRequestSerializer,
    TurnSerializer,
)
from conversations.contract.event_types import TokenEvent, TurnEvent
from conversations.contract.streams import StreamEvent

JSON, EVENT_STREAM = "application/json", "text/event-stream"

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
    OpenApiParameter.HEADER,
    description="Names what is created: the same request again, at any later time, answers with the same one.",
)
LAST_EVENT_ID = OpenApiParameter(
    "Last-Event-ID",
    {"type": "integer", "minimum": 0},
    OpenApiParameter.HEADER,
    description="The position of the last event that was seen: the next one follows. It comes before `after`.",
)
STREAM = OpenApiResponse(
    Shape(StreamEvent, also=(TurnEvent, TokenEvent)),
    description="With `Accept: text/event-stream` or `format`: the turn's events from its beginning to its end; with "
    "`format=tokens` only text. Each event of the stream is described as the fields that it has.",
)
SEEN_ALL = OpenApiResponse(description="The turn has ended, and `Last-Event-ID` is its end: there is no more.")
BEGUN = OpenApiResponse(
    TurnSerializer,
    description="The turn: at once, `queued` or `running`; with `wait=true` when it has ended, with its `messages`, "
    "`stop_reason`, `usage` and `cost`.",
)
BEGINNING: dict[Any, OpenApiResponse] = {
    (201, JSON): BEGUN,
    (200, EVENT_STREAM): STREAM,
    204: SEEN_ALL,
    **errors(409, 422, *ASKED_CLAUDE),
}

list_ = extend_schema(
    methods=["GET"],
    operation_id="listTurns",
    summary="List a conversation's turns",
    description="The conversation's turns, newest first.",
    responses={(200, JSON): TurnSerializer(many=True)},
)
create = extend_schema(
    methods=["POST"],
    operation_id="createTurn",
    summary="Create a turn",
    description="Begins a turn: `content` to say, or `regenerate` with an answer's id. It answers in one of three "
    "ways: with the turn at once (201), with the turn when it has ended (201, `wait=true`), or with the turn's events "
    "as they come (200, `Accept: text/event-stream`).",
    parameters=[IDEMPOTENCY_KEY, LAST_EVENT_ID],
    request=TurnRequestSerializer,
    responses=BEGINNING,
)
retrieve = extend_schema(
    operation_id="getTurn",
    summary="Get a turn",
    description="A turn. Its messages, usage and cost are there when it has ended.",
    responses=TurnSerializer,
)
events = extend_schema(
    operation_id="streamTurnEvents",
    summary="Follow a turn's events",
    description="The turn's events past a position, to its end: live or stored, at any later time.",
    parameters=[
        LAST_EVENT_ID,
    ],
    responses={(200, EVENT_STREAM): STREAM, 204: SEEN_ALL},
)
cancel = extend_schema(
    operation_id="cancelTurn",
    summary="Stop a turn",
    description="Stops the turn; what it said is kept. Stopping a turn that has ended changes nothing.",
    request=None,
    responses={202: TurnSerializer},
)
tool_results = extend_schema(
    operation_id="submitToolResults",
    summary="Hand in tool results",
    description="Hands in what the client's tools came to. When all that is awaited is there, the turn goes on.",
    request=ToolResultsSerializer,
    responses={202: TurnSerializer, **errors(409)},
)
go_on = extend_schema(
    operation_id="continueTurn",
    summary="Continue an answer",
    description="A new turn that goes on from an answer that was stopped or cut: its `actions` have `continue`. It "
    "answers like `createTurn`.",
    parameters=[IDEMPOTENCY_KEY, LAST_EVENT_ID],
    request=SettingsSerializer,
    responses=BEGINNING,
)
