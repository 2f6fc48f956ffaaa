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
    description="Identifies the created object: repeating the request with the same key, at any later time, returns "
    "the same object instead of creating another one.",
)
LAST_EVENT_ID = OpenApiParameter(
    "Last-Event-ID",
    {"type": "integer", "minimum": 0},
    OpenApiParameter.HEADER,
    description="The position of the last event that the client has received: the stream continues after it. Takes "
    "precedence over `after`.",
)
STREAM = OpenApiResponse(
    Shape(StreamEvent, also=(TurnEvent, TokenEvent)),
    description="With `Accept: text/event-stream` or `format`: a stream of the turn's events until it ends; with "
    "`format=tokens`, of its text only. The schema describes one event of the stream by its fields.",
)
SEEN_ALL = OpenApiResponse(
    description="The turn has ended, and `Last-Event-ID` is the position of its last event: there are no more events."
)
BEGUN = OpenApiResponse(
    TurnSerializer,
    description="The turn: `queued` or `running`; with `wait=true` when it has ended, with its `messages`, "
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
    description="Returns the conversation's turns, newest first.",
    responses={(200, JSON): TurnSerializer(many=True)},
)
create = extend_schema(
    methods=["POST"],
    operation_id="createTurn",
    summary="Create a turn",
    description="Creates a turn, with either `content` for Claude to answer or `regenerate` with the id of the "
    "answer to replace. The response has one of three forms: the turn at once (201), the turn when it has ended "
    "(201, `wait=true`), or a stream of its events (200, `Accept: text/event-stream`).",
    parameters=[IDEMPOTENCY_KEY, LAST_EVENT_ID],
    request=TurnRequestSerializer,
    responses=BEGINNING,
)
retrieve = extend_schema(
    operation_id="getTurn",
    summary="Get a turn",
    description="Returns a turn. Its messages, usage and cost are final when it has ended.",
    responses=TurnSerializer,
)
events = extend_schema(
    operation_id="streamTurnEvents",
    summary="Stream a turn's events",
    description="Streams the turn's events after a position until the turn ends. This works for running turns and, "
    "at any later time, for ended ones.",
    parameters=[
        LAST_EVENT_ID,
    ],
    responses={(200, EVENT_STREAM): STREAM, 204: SEEN_ALL},
)
cancel = extend_schema(
    operation_id="cancelTurn",
    summary="Stop a turn",
    description="Stops a turn. The part of the answer that was received is kept. Stopping a turn that has ended "
    "changes nothing.",
    request=None,
    responses={202: TurnSerializer},
)
tool_results = extend_schema(
    operation_id="submitToolResults",
    summary="Submit tool results",
    description="Submits results of the client's tools. The turn continues when the results of all its calls are "
    "there.",
    request=ToolResultsSerializer,
    responses={202: TurnSerializer, **errors(409)},
)
go_on = extend_schema(
    operation_id="continueTurn",
    summary="Continue an answer",
    description="Creates a turn that continues an incomplete answer. The answer's turn must have `continue` among "
    "its `actions`. The response has the same forms as that of `createTurn`.",
    parameters=[IDEMPOTENCY_KEY, LAST_EVENT_ID],
    request=SettingsSerializer,
    responses=BEGINNING,
)
