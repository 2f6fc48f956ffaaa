"""Turns: begun in a conversation, watched, stopped."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable
from typing import Any

from django.db.models import Manager
from drf_spectacular.utils import extend_schema_view
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from conversations.api.later import Later, LaterBegun, Opening, Stream
from conversations.api.queries import BeginQuery, EventsQuery, Queried, query_of
from conversations.api.renderers import JSONRenderer
from conversations.api.requesters import credential_of, user_of
from conversations.api.schema import turn_operations as documents
from conversations.api.serializer_fields import IdempotencyKey
from conversations.api.serializers import (
    SettingsSerializer,
    ToolResultsSerializer,
    TurnRequestSerializer,
    TurnSerializer,
    asked_in,
)
from conversations.api.sse_stream import Form, as_events, as_tokens, event_stream
from conversations.database import in_database, persistently
from conversations.errors import ClaudeError, InvalidRequest, Unavailable
from conversations.follow import Followable, check_position, follow
from conversations.models import Right, Turn
from conversations.running.engine import RETRY_AFTER, draining, engine
from conversations.running.turn_start import Create, start_turn
from conversations.services.accounts.shares import membership, readable_turn
from conversations.services.billing.user_limits import rate_limit_headers
from conversations.services.turns import turns
from conversations.services.turns.plain_turn_begin import PlainBeginning
from conversations.services.turns.turn_begin import Created

EVENT_STREAM = "text/event-stream"
FORMATS = {"events": as_events, "tokens": as_tokens}


class EventStreamRenderer(BaseRenderer):
    """Lets a client ask for an event stream; the stream itself is no DRF response."""

    media_type = EVENT_STREAM
    format = "events"
    render = JSONRenderer.render


def with_all(rows: Manager[Turn]) -> Any:
    """Return turns with all data that their serializer shows, by three queries."""
    return rows.select_related("user", "pending_question").prefetch_related("messages", "usage")


def turn_shown(turn_id: uuid.UUID) -> dict[str, Any]:
    """Return the present state of a turn, serialized."""
    return dict(TurnSerializer(with_all(Turn.objects).get(pk=turn_id)).data)


def shown_begun(turn: Turn) -> dict[str, object]:
    """Return a turn that has just begun, serialized, without queries for messages and usage."""
    turn._prefetched_objects_cache = {"messages": [], "usage": []}  # type: ignore[attr-defined]
    return dict(TurnSerializer(turn).data)


def digest(place: str, data: object) -> str:
    """Return a digest that is equal for two requests only if they would create the same object."""
    canonical = json.dumps([str(place), data], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def key_of(request: Request) -> str | None:
    """Return the request's idempotency key, or None. Raise InvalidRequest if it is too long or not printable."""
    header = request.headers.get("Idempotency-Key")
    if header is None:
        return None
    try:
        return IdempotencyKey().to_internal_value(_header_text(header))
    except ValidationError:
        raise InvalidRequest.at("Idempotency-Key", IdempotencyKey.COMPLAINT) from None


def _header_text(header: str) -> str:
    """Return a header's text: programs write UTF-8, browsers Latin-1, which is what Django reads."""
    try:
        return header.encode("latin-1").decode()
    except UnicodeError:
        return header


def create(request: Request, conversation: str) -> LaterBegun:
    """Create a turn, and respond in the requested form: at once, at the end, or by a stream."""
    asked = asked_in(TurnRequestSerializer.checked_values(request.data))
    return answered(
        request,
        digest(conversation, request.data),
        lambda who: turns.create(who=who, conversation_id=conversation, asked=asked),
        turns.plain_beginning(conversation, asked),
    )


def answered(request: Request, digest: str, create: Create, plain: PlainBeginning | None = None) -> LaterBegun:
    """Begin a turn, run it if it is new, and respond in the requested form. `digest` is that of the request.

    A reader that retries the request after its stream was cut, with `Last-Event-ID`, gets the remaining events.
    """
    form, wait = stream_format(request), query_of(request)["wait"]
    user, credential, key = user_of(request), credential_of(request), key_of(request)
    if draining():
        raise Unavailable(retry_after=RETRY_AFTER)

    async def begin() -> Opening:
        made = await start_turn(user, credential, key, digest, create, plain)
        turn, id = made.turn, made.turn.pk
        after = 0 if made.is_new or not _last_seen(request) else position_of(request, turn)
        shown = {} if form or wait else await shown_created(made)

        # It is kept for as long as the answer takes, and the turn is not.
        async def then() -> Stream | dict[str, object]:
            if form:
                return event_stream(id, after, form)
            return await answer_of(id) if wait else shown

        member = membership(user, turn.conversation_id, turn.conversation.owner_id)
        return Opening(then, member, rate_limit_headers(made.used))

    return LaterBegun(request, begin, status=201)


async def shown_created(made: Created) -> dict[str, object]:
    """Return a turn, serialized: the new one, or the present state of an earlier one with the same key."""
    return shown_begun(made.turn) if made.is_new else await in_database(turn_shown, made.turn.pk)


async def answer_of(turn_id: uuid.UUID) -> dict[str, Any]:
    """Wait until the turn has ended, or waits for the client, and return it.

    Raises what made it fail, Deleted, or Unavailable where this process ends before that.
    """
    async for _ in follow(turn_id, through_waits=False):
        pass
    turn = await persistently(turn_shown, turn_id)
    if turn["status"] in (Turn.QUEUED, Turn.RUNNING):
        raise Unavailable(retry_after=RETRY_AFTER, details={"turn": str(turn_id)})
    if turn["status"] == Turn.Status.FAILED:
        raise ClaudeError.of_kept(turn["error"], turn=str(turn_id))
    return turn


def stream_format(request: Request) -> Form | None:
    """Return the requested encoding of events; None if no stream is requested."""
    name = query_of(request).get("format")
    if name is None:
        return as_events if request.accepted_renderer.media_type == EVENT_STREAM else None
    return FORMATS[name]


LAST_SEEN = "Last-Event-ID"


def position_of(request: Request, work: Followable) -> int:
    """Return the position after which a reader wants to read a transcript.

    `Last-Event-ID` takes precedence over `after`: a reader that reconnects by itself uses the original URL again, and
    has its present position in the header. Raise InvalidRequest if the value is not a position.
    """
    seen = _last_seen(request)
    name, text = (LAST_SEEN, seen) if seen else ("after", str(query_of(request).get("after", 0)))
    if not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise InvalidRequest(
            f"{name} must be a position: a whole number, zero or more.", details={name: "not a position"}
        )
    check_position(work, int(text), name)
    return int(text)


def has_seen_all(request: Request, work: Followable) -> bool:
    """Return whether a reader reconnects to ended work after it has received everything.

    Such a reader, for instance a browser's EventSource, reconnects until it gets a 204.
    """
    return work.ended and _last_seen(request) == str(work.position)


def _last_seen(request: Request) -> str:
    return request.headers.get(LAST_SEEN, "")


class Negotiation(DefaultContentNegotiation):
    """Where there is nothing but a stream, whatever a client accepts is a stream."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """Return the first renderer and its media type, whatever the request accepts."""
        first = next(iter(renderers))
        return first, str(first.media_type)


@extend_schema_view(retrieve=documents.retrieve)
class TurnViewSet(Queried, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Turn]):
    """Turns by their ids."""

    serializer_class = TurnSerializer
    queryset = Turn.objects.none()
    queries = {"events": EventsQuery, "go_on": BeginQuery}
    with_body = ("tool_results", "go_on")

    def get_object(self) -> Turn:
        """Return the turn, if the user may read its conversation. Raises NotFound otherwise."""
        turn: Turn = with_all(Turn.objects).get_open(self.request.user, self.kwargs["pk"], Right.READ)
        return turn

    @documents.events
    @action(detail=True, content_negotiation_class=Negotiation)
    def events(self, request: Request, pk: str) -> Later | Response:
        """Stream the turn's events past a position; 204 where the client has seen them all."""
        turn, member = readable_turn(user_of(request), pk)
        if has_seen_all(request, turn):
            return Response(status=204)
        position, form = position_of(request, turn), stream_format(request) or as_events

        async def then() -> Stream:
            return event_stream(turn.pk, position, form)

        return Later(request, then, membership=member)

    @documents.cancel
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Ask for the turn to be stopped; return the turn with status 202."""
        turn = turns.cancel(user=user_of(request), turn_id=pk)
        return Response(turn_shown(turn.pk), status=202)

    @documents.tool_results
    @action(detail=True, methods=["post"], url_path="tool-results")
    def tool_results(self, request: Request, pk: str) -> Later:
        """Take results of the client's tools; the turn goes on when all of them are there."""
        serializer = ToolResultsSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        results = serializer.validated_data["results"]
        turn = turns.submit_tool_results(user=user_of(request), turn_id=pk, results=results)
        taken = turn_shown(turn.pk)

        async def then() -> dict[str, object]:
            if turn.status == Turn.QUEUED:
                await (await engine()).run("turn", turn.pk)
            return taken

        return Later(request, then, status=202)

    @documents.go_on
    @action(detail=True, methods=["post"], url_path="continue", renderer_classes=[JSONRenderer, EventStreamRenderer])
    def go_on(self, request: Request, pk: str) -> LaterBegun:
        """Go on with a turn that was stopped or cut, with other settings where they are given."""
        serializer = SettingsSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return answered(
            request,
            digest(f"continue {pk}", request.data),
            lambda who: turns.continue_turn(who=who, turn_id=pk, settings=dict(serializer.validated_data)),
        )
