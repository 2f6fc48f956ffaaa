"""The API of extractions: create them, list them, get, stop and delete one."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from conversations.api.later import Later, Stream
from conversations.api.parsers import ExactJSONParser
from conversations.api.queries import Queried, WaitQuery, query_of
from conversations.api.renderers import ExactJSONRenderer
from conversations.api.requesters import user_of
from conversations.api.schema.components import Shape
from conversations.api.schema.error_components import ASKED_CLAUDE, errors
from conversations.api.schema.turn_operations import EVENT_STREAM, IDEMPOTENCY_KEY, LAST_EVENT_ID, SEEN_ALL
from conversations.api.sse_stream import as_events, event_stream
from conversations.api.turn_views import Negotiation, has_seen_all, key_of, position_of
from conversations.contract.extraction_types import ExtractionEvent
from conversations.contract.streams import ExtractionStreamEvent
from conversations.database import in_database, persistently
from conversations.errors import ClaudeError, Unavailable
from conversations.exact_json import dumps
from conversations.follow import follow
from conversations.json_types import JSON
from conversations.running.engine import RETRY_AFTER, draining, engine
from conversations.services.files import attachments
from extraction import reading
from extraction.api.following import Extractions
from extraction.api.queries import ExtractionsQuery, PositionQuery
from extraction.api.representation import shown, with_all
from extraction.api.reviews import ReviewRequestSerializer, check_correction
from extraction.api.schemas import nameless
from extraction.api.serializers import ExtractionRequestSerializer, ExtractionSerializer
from extraction.api.sources import SourceActions
from extraction.documents.sources import READ
from extraction.models import Extraction
from extraction.services import deletion, extractions, reviews, schemas
from extraction.services.transcripts import TABLES

STREAM = OpenApiResponse(
    Shape(ExtractionStreamEvent, also=(ExtractionEvent,)),
    description="A stream of the extraction's events. The schema describes one event of the stream by its fields.",
)


def digest(data: JSON) -> str:
    """Return a digest that is equal for two requests only if they would create the same extraction."""
    canonical = dumps(["extraction", data], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


async def answer_of(id: uuid.UUID) -> dict[str, object]:
    """Wait until the extraction has ended, and return it.

    Raises what made it fail, Deleted, or Unavailable where this process ends before that.
    """
    async for _ in follow(id, kind=TABLES.kind):
        pass
    extraction: dict[str, Any] = await persistently(shown, id)
    if extraction["status"] not in Extraction.TERMINAL:
        raise Unavailable(retry_after=RETRY_AFTER, details={"extraction": str(id)})
    if extraction["error"]:
        raise ClaudeError.of_kept(extraction["error"], extraction=str(id))
    return extraction


@extend_schema_view(
    list=extend_schema(
        operation_id="listExtractions",
        summary="List extractions",
        description="Returns the user's extractions, newest first.",
    ),
    retrieve=extend_schema(
        operation_id="getExtraction",
        summary="Get an extraction",
        description="Returns an extraction. Its data is available when it has ended.",
    ),
)
class ExtractionViewSet(Queried, mixins.ListModelMixin, mixins.RetrieveModelMixin, SourceActions):
    """Create, list, show, stop and delete a user's extractions."""

    serializer_class = ExtractionSerializer
    queryset = Extraction.objects.none()
    queries = {"list": ExtractionsQuery, "create": WaitQuery, "events": PositionQuery}
    with_body = ("create", "review")
    parser_classes = (ExactJSONParser,)
    renderer_classes = (ExactJSONRenderer,)

    def get_queryset(self) -> QuerySet[Extraction]:
        """Return the extractions of the user that the query asks for, with their attempts."""
        rows = Extraction.objects.visible_to(self.request.user)
        query = query_of(self.request) if self.action == "list" else {}
        if status := query.get("status"):
            rows = rows.filter(status=status)
        if schema := query.get("schema"):
            rows = rows.filter(schema__in=schemas.named_so(self.request.user, schema))
        if batch := query.get("batch"):
            rows = rows.filter(item__batch=batch)
        if (in_batch := query.get("in_batch")) is not None:
            rows = rows.filter(item__isnull=not in_batch)
        if decision := query.get("review"):
            return with_all(reviews.decided(rows, decision))
        return with_all(rows)

    def get_object(self) -> Extraction:
        """Return the extraction, if it is the user's. Raises NotFound otherwise."""
        rows: Any = with_all(Extraction.objects.all())
        extraction: Extraction = rows.get_visible(self.request.user, self.kwargs["pk"])
        return extraction

    @extend_schema(
        operation_id="createExtraction",
        summary="Create an extraction",
        description="Extracts data that a JSON Schema describes from text, images or documents.",
        parameters=[IDEMPOTENCY_KEY],
        request=ExtractionRequestSerializer,
        responses={201: ExtractionSerializer, **errors(422, 404, *ASKED_CLAUDE)},
    )
    def create(self, request: Request) -> Later:
        """Begin an extraction.

        The schema is checked when the request's thread and connection are given back: that may take its time.
        """
        serializer = ExtractionRequestSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        wait, owner = query_of(request)["wait"], user_of(request)
        if draining():
            raise Unavailable(retry_after=RETRY_AFTER)
        key, asked, schema = key_of(request), digest(request.data), serializer.validated_data["schema"]
        version = schemas.find(user=owner, named=schema) if isinstance(schema, str) else None
        given = serializer.validated_data["content"]
        content = attachments.store_sources(owner=owner, blocks=given, documents=READ)

        async def then() -> dict[str, object]:
            wanted = version or await nameless(owner, schema)
            spec = serializer.spec(wanted, content, await reading.read(owner.pk, content))
            extraction, new = await in_database(extractions.create, user=owner, spec=spec, key=key, digest=asked)
            created = await persistently(shown, extraction.pk)
            if new:
                await (await engine()).run("extraction", extraction.pk)
            return await answer_of(extraction.pk) if wait else created

        return Later(request, then, status=201)

    @extend_schema(
        operation_id="streamExtractionEvents",
        summary="Stream an extraction's events",
        description="Streams the extraction's events after a position until it ends. This works for running "
        "extractions and, at any later time, for ended ones. Each `partial` event has all data extracted so far.",
        parameters=[LAST_EVENT_ID],
        responses={(200, EVENT_STREAM): STREAM, 204: SEEN_ALL},
    )
    @action(detail=True, content_negotiation_class=Negotiation)
    def events(self, request: Request, pk: str) -> Later | Response:
        """Stream the extraction's events past a position; 204 where the client has seen them all."""
        extraction = Extraction.objects.get_visible(request.user, pk)
        if has_seen_all(request, extraction):
            return Response(status=204)
        position = position_of(request, extraction)

        async def then() -> Stream:
            return event_stream(extraction.pk, position, as_events, TABLES.kind, Extractions().follow)

        return Later(request, then)

    @extend_schema(
        operation_id="cancelExtraction",
        summary="Stop an extraction",
        description="Stops the extraction. What Claude has answered so far is kept. Stopping an extraction that has "
        "ended changes nothing.",
        request=None,
        responses={202: ExtractionSerializer},
    )
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Ask for the extraction to be stopped; return it with status 202."""
        return Response(shown(extractions.cancel(user=user_of(request), id=pk).pk), status=202)

    @extend_schema(
        operation_id="reviewExtraction",
        summary="Review an extraction",
        description="Approves, rejects or corrects the extracted data, which itself is kept. The last decision counts.",
        request=ReviewRequestSerializer,
        responses={201: ExtractionSerializer, **errors(409)},
    )
    @action(detail=True, methods=["post"])
    def review(self, request: Request, pk: str) -> Later:
        """Decide on the extraction's data; return it with status 201."""
        serializer = ReviewRequestSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        extraction, reviewer, decision = self.get_object(), user_of(request), serializer.validated_data
        corrects = "data" in decision
        reviews.check(extraction=extraction, decision=decision["decision"], has_data=corrects)

        async def then() -> dict[str, object]:
            if corrects:
                await check_correction(extraction, decision["data"])
            await in_database(reviews.decide, extraction=extraction, reviewer=reviewer, **decision)
            return await persistently(shown, extraction.pk)

        return Later(request, then, status=201)

    @extend_schema(
        operation_id="deleteExtraction",
        summary="Delete an extraction",
        description="Stops the extraction if it is running, and deletes it. Its usage and cost remain in the ledger.",
        responses={204: None},
    )
    def destroy(self, request: Request, pk: str) -> Response:
        """Delete the extraction, and stop it if it runs."""
        deletion.delete_extraction(user=user_of(request), id=pk)
        return Response(status=204)
