"""The API of extractions: create them, list them, get one."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, viewsets
from rest_framework.request import Request

from conversations.api.later import Later
from conversations.api.queries import PageQuery, Queried, WaitQuery, query_of
from conversations.api.renderers import ExactJSONRenderer
from conversations.api.requesters import user_of
from conversations.api.schema.error_components import ASKED_CLAUDE, errors
from conversations.api.schema.turn_operations import IDEMPOTENCY_KEY
from conversations.api.turn_views import digest, key_of
from conversations.database import in_database, persistently
from conversations.errors import ClaudeError, Unavailable
from conversations.running.engine import RETRY_AFTER, draining, engine
from conversations.services import attachments
from conversations.streaming.wakes import POLL, wait_for_news
from extraction import checks, services
from extraction.api.serializers import ExtractionRequestSerializer, ExtractionSerializer
from extraction.models import Extraction


def with_all(rows: QuerySet[Extraction]) -> QuerySet[Extraction]:
    """Return extractions with what their serializer shows."""
    return rows.prefetch_related("attempts__usage__corrections")


def shown(id: uuid.UUID) -> dict[str, Any]:
    """Return an extraction as the API shows it now."""
    extraction = with_all(Extraction.objects.all()).get(pk=id)
    return ExtractionSerializer(extraction).data  # type: ignore[return-value]  # its field `data` hides the property


async def answer_of(id: uuid.UUID) -> dict[str, Any]:
    """Return the extraction when it has ended. Raises what made it fail."""
    here = await engine()
    with here.wakes.waiting(id) as news:
        while True:
            leaving = here.drained
            news.clear()
            extraction = await persistently(shown, id)
            if extraction["status"] in Extraction.TERMINAL:
                break
            if leaving:
                raise Unavailable(retry_after=RETRY_AFTER, details={"extraction": str(id)})
            await wait_for_news(news, POLL)
    if extraction["error"]:
        raise ClaudeError.of_kept(extraction["error"], extraction=str(id))
    return extraction


@extend_schema_view(
    list=extend_schema(
        operation_id="listExtractions", summary="List extractions", description="The user's extractions, newest first."
    ),
    retrieve=extend_schema(
        operation_id="getExtraction",
        summary="Get an extraction",
        description="An extraction. Its data is there when it has ended.",
    ),
)
class ExtractionViewSet(Queried, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Extraction]):
    """Create, list and show a user's extractions."""

    serializer_class = ExtractionSerializer
    queryset = Extraction.objects.none()
    queries = {"list": PageQuery, "create": WaitQuery}
    renderer_classes = (ExactJSONRenderer,)

    def get_queryset(self) -> QuerySet[Extraction]:
        """Return the extractions of the user, with their attempts."""
        return with_all(Extraction.objects.visible_to(self.request.user))

    def get_object(self) -> Extraction:
        """Return the extraction, if it is the user's. Raises NotFound otherwise."""
        return with_all(Extraction.objects.all()).get_visible(self.request.user, self.kwargs["pk"])  # type: ignore[attr-defined]

    @extend_schema(
        operation_id="createExtraction",
        summary="Create an extraction",
        description="Extracts what a JSON Schema describes from text, images or documents.",
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
        wait = query_of(request)["wait"]
        if draining():
            raise Unavailable(retry_after=RETRY_AFTER)
        owner = user_of(request)
        asked = Extraction(
            owner=owner,
            idempotency_key=key_of(request),
            request_digest=digest("extraction", request.data),
            **serializer.validated_data,
        )
        asked.content = attachments.store_sources(owner=owner, blocks=asked.content)

        async def then() -> dict[str, Any]:
            await checks.check(owner.pk, asked.schema)
            extraction, new = await in_database(services.create, asked=asked)
            created = await persistently(shown, extraction.pk)
            if new:
                await (await engine()).run("extraction", extraction.pk)
            return await answer_of(extraction.pk) if wait else created

        return Later(request, then, status=201)
