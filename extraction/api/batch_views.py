"""The API of batches: create, list, show, pause, resume, cancel, retry, and their items and results."""

from __future__ import annotations

from itertools import islice

from asgiref.sync import async_to_sync
from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from conversations.api.pagination import Pages
from conversations.api.parsers import ExactJSONParser
from conversations.api.queries import PageQuery, Queried, query_of
from conversations.api.renderers import ExactJSONRenderer
from conversations.api.requesters import user_of
from conversations.api.schema.error_components import errors
from conversations.api.schema.turn_operations import IDEMPOTENCY_KEY
from conversations.api.turn_views import key_of
from conversations.json_types import JSONSchema
from conversations.models import User
from extraction.api import batch_results
from extraction.api.batch_input import JSON_LINES, BatchInput, Digest, JsonLinesParser, input_of, items_of
from extraction.api.batch_serializers import (
    BatchFilesSerializer,
    BatchSerializer,
    BatchSettingsSerializer,
    ItemSerializer,
    ItemsQuery,
    NewBatchSerializer,
    NewItemSerializer,
    ResultsQuery,
    SettingsQuery,
    new_batch,
)
from extraction.api.schemas import nameless
from extraction.batches.results import with_data
from extraction.models import Batch, SchemaVersion
from extraction.services import batches, schemas

BODY_LIMIT = 256 * 1024 * 1024  # bytes
AT_ONCE = 200  # items that are stored at once


def schema_of(user: User, named: str | JSONSchema) -> SchemaVersion:
    """Return the schema of a batch's request, stored or inline. Raise NotFound, or InvalidRequest."""
    if isinstance(named, str):
        return schemas.find(user=user, named=named)
    return async_to_sync(nameless)(user, named)


def received(user: User, key: str | None, found: BatchInput) -> Batch:
    """Return the batch that a request creates, or has created before. An invalid request leaves nothing behind."""
    serializer = BatchSettingsSerializer(data=dict(found.settings))
    serializer.is_valid(raise_exception=True)
    digest = Digest(found.settings)
    items = items_of(user, found, digest.add)
    asked = serializer.validated_data
    batch = batches.receive(user=user, new=new_batch(asked, schema_of(user, asked["schema"])), key=key)
    if batch.status != Batch.Status.RECEIVING:
        for _ in items:  # the digest is of all of them
            pass
        return batch.asked_for_by(str(digest))
    try:
        while part := list(islice(items, AT_ONCE)):
            batches.add(batch=batch, items=part)
        return batches.start(batch=batch, digest=str(digest))
    except BaseException:
        batches.discard(batch)
        raise


@extend_schema_view(
    list=extend_schema(
        operation_id="listBatches", summary="List batches", description="Returns the user's batches, newest first."
    ),
    retrieve=extend_schema(
        operation_id="getBatch",
        summary="Get a batch",
        description="Returns a batch, with the number of its items by status, its cost so far, its expected cost, "
        "and the estimated remaining time.",
    ),
)
class BatchViewSet(Queried, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Batch]):
    """Create, list, show and steer a user's batches."""

    serializer_class = BatchSerializer
    queryset = Batch.objects.none()
    queries = {"list": PageQuery, "create": SettingsQuery, "items": ItemsQuery, "results": ResultsQuery}
    with_body = ("create",)
    renderer_classes = (ExactJSONRenderer,)
    parser_classes = (ExactJSONParser, JsonLinesParser, MultiPartParser)
    body_limit = BODY_LIMIT

    def get_queryset(self) -> QuerySet[Batch]:
        """Return the user's batches, without those that evaluations run."""
        return Batch.objects.visible_to(self.request.user).filter(run=None).select_related("schema")

    def get_object(self) -> Batch:
        """Return the batch, if it is the user's. Raises NotFound otherwise."""
        return Batch.objects.select_related("schema").get_visible(self.request.user, self.kwargs["pk"])

    @extend_schema(
        operation_id="createBatch",
        summary="Create a batch",
        description="Extracts data from many contents with one schema. The items are sent as JSON; as JSON lines, "
        "one item per line, up to 100,000, with the settings in the query or in an object on the first line; or as "
        "files in a form, whose names become the keys. Keys are unique in a batch: an item that is sent again is "
        "not added twice.",
        parameters=[IDEMPOTENCY_KEY],
        request={
            "application/json": NewBatchSerializer,
            JSON_LINES: NewItemSerializer,
            "multipart/form-data": BatchFilesSerializer,
        },
        responses={201: BatchSerializer, **errors(404, 413, 415, 422)},
    )
    def create(self, request: Request) -> Response:
        """Receive a batch, item by item, and have it worked on; return it with status 201."""
        query = {name: value for name, value in query_of(request).items() if value not in (None, "")}
        batch = received(user_of(request), key_of(request), input_of(request, query))
        return self._shown(batch, 201)

    @extend_schema(
        operation_id="listBatchItems",
        summary="List a batch's items",
        description="Returns the batch's items in their order, with their status and data.",
        responses={200: ItemSerializer(many=True)},
    )
    @action(detail=True, pagination_class=Pages)
    def items(self, request: Request, pk: str) -> Response:
        """Return a page of the items."""
        rows, status = with_data(self.get_object().items.all()), query_of(request).get("status")
        pages = Pages()
        found = pages.page(rows.filter(status=status) if status else rows, "number", request)
        return pages.get_paginated_response(ItemSerializer(found, many=True).data)

    @extend_schema(
        operation_id="downloadBatchResults",
        summary="Download a batch's results",
        description="Returns all items with their data: as JSON lines; as CSV with one row per item, nested fields "
        "in columns such as `a.b` and lists of objects as JSON, or with one row per object of the list that `list` "
        "names; or as XLSX, with each list of objects on a separate sheet.",
        responses={
            (200, JSON_LINES): OpenApiTypes.STR,
            (200, "text/csv"): OpenApiTypes.STR,
            (200, batch_results.TYPES["xlsx"]): OpenApiTypes.BINARY,
        },
    )
    @action(detail=True, pagination_class=None, renderer_classes=batch_results.RENDERERS)
    def results(self, request: Request, pk: str) -> StreamingHttpResponse:
        """Return the results as a file, sent as it is read."""
        return batch_results.download(request, self.get_object())

    @extend_schema(
        operation_id="cancelBatch",
        summary="Cancel a batch",
        description="Cancels all items that have not ended. Existing results are kept. Cancelling a batch again "
        "changes nothing.",
        request=None,
        responses={202: BatchSerializer},
    )
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Cancel the batch; return it with status 202."""
        return self._shown(batches.cancel(user=user_of(request), id=pk), 202)

    @extend_schema(
        operation_id="pauseBatch",
        summary="Pause a batch",
        description="Starts no further items until the batch is resumed. Running items are finished.",
        request=None,
        responses={202: BatchSerializer, **errors(409)},
    )
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, pk: str) -> Response:
        """Pause the batch; return it with status 202."""
        return self._shown(batches.pause(user=user_of(request), id=pk), 202)

    @extend_schema(
        operation_id="resumeBatch",
        summary="Resume a batch",
        description="Resumes a paused batch.",
        request=None,
        responses={202: BatchSerializer, **errors(409)},
    )
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: str) -> Response:
        """Go on with the batch; return it with status 202."""
        return self._shown(batches.resume(user=user_of(request), id=pk), 202)

    @extend_schema(
        operation_id="retryBatch",
        summary="Retry a batch's failed items",
        description="Extracts again from the items with status `failed`, and from no others.",
        request=None,
        responses={202: BatchSerializer, **errors(409)},
    )
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: str) -> Response:
        """Queue the failed items again; return the batch with status 202."""
        return self._shown(batches.retry(user=user_of(request), id=pk), 202)

    def _shown(self, batch: Batch, status: int) -> Response:
        return Response(BatchSerializer(Batch.objects.select_related("schema").get(pk=batch.pk)).data, status=status)
