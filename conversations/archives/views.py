"""Exporting everything of one's own, and importing archives."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from os import SEEK_END
from tempfile import SpooledTemporaryFile
from typing import IO, cast

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from conversations.api.later import Later, Stream
from conversations.api.queries import PageQuery, Queried
from conversations.api.renderers import JSONRenderer
from conversations.api.requesters import user_of
from conversations.api.serializer_fields import Json
from conversations.api.transfer_formats import BODY_LIMIT
from conversations.api.uploads import UploadSerializer, file_of
from conversations.archives import exporting
from conversations.archives.detecting import source_of
from conversations.archives.zip_file import Archive
from conversations.contract.account import ImportProblem
from conversations.models import ArchiveImport
from conversations.running.engine import engine
from conversations.services import imports

FORM_LIMIT = 64 * 1024  # bytes of a form besides its file
MEMORY = 1 << 20  # bytes of an archive that are kept in memory
ZIP = "application/zip"
JSON = "application/json"


class ImportSerializer(serializers.ModelSerializer[ArchiveImport]):
    """An import, with its progress."""

    status = serializers.ChoiceField(ArchiveImport.Status.choices)
    source = serializers.ChoiceField(ArchiveImport.Source.choices)  # type: ignore[assignment]
    problems = Json(
        shape=list[ImportProblem],
        help_text="The first 100 problems: entries that could not be imported, and parts that were left out.",
    )

    class Meta:
        model = ArchiveImport
        fields = (
            *("id", "status", "source", "size", "done", "total", "conversations", "messages", "extractions"),
            *("skipped", "failed", "problems", "created_at", "started_at", "finished_at"),
        )


class FileParser(BaseParser):
    """Takes a body that is the file itself."""

    media_type = ZIP

    def parse(  # type: ignore[override]
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, object] | None = None
    ) -> IO[bytes]:
        """Return the body, unread."""
        return stream


class JSONFileParser(FileParser):
    """The same for the JSON of an export that is in no archive."""

    media_type = JSON


class ArchiveRenderer(BaseRenderer):
    """Stands for archives where a client says what it accepts; they are sent without it."""

    media_type = ZIP
    format = "zip"


class Export(Queried):
    """Everything of a user, as an archive."""

    renderer_classes = (JSONRenderer, ArchiveRenderer)

    @extend_schema(
        operation_id="exportMe",
        summary="Export all data",
        description="Streams all of the caller's data as a ZIP archive of JSON lines and files.",
        responses={(200, ZIP): OpenApiTypes.BINARY},
    )
    def get(self, request: Request) -> Later:
        """Answer with the archive as a stream."""
        user = user_of(request)

        async def then() -> Stream:
            return exporting.stream(user)

        return Later(request, then)


class Import(Queried):
    """Begin to import an archive."""

    parser_classes = (MultiPartParser, FileParser, JSONFileParser)
    body_limit = BODY_LIMIT + FORM_LIMIT
    with_body = ("post",)

    @extend_schema(
        operation_id="importArchive",
        summary="Import an archive",
        description="Starts the import of an archive from `GET /api/me/export/`, claude.ai or ChatGPT, sent as the "
        "form field `file` or as the body. Objects that were imported before are skipped.",
        request={"multipart/form-data": UploadSerializer, ZIP: OpenApiTypes.BINARY, JSON: OpenApiTypes.ANY},
        responses={202: ImportSerializer},
    )
    def post(self, request: Request) -> Later:
        """Check the archive, and have it imported; answer 202 with the import."""
        with _file_of(request) as file:
            source = source_of(Archive(file))
            size = file.seek(0, SEEK_END)
            file.seek(0)
            job = imports.create(owner=user_of(request), source=source, file=file, size=size)

        async def then() -> dict[str, object]:
            await (await engine()).run("import", job.pk)
            return dict(ImportSerializer(job).data)

        return Later(request, then, status=202)


@contextmanager
def _file_of(request: Request) -> Iterator[IO[bytes]]:
    """Yield the archive that a request brings. Raises ValidationError where there is none."""
    if not isinstance(request.data, dict):  # a form's data, or none
        with SpooledTemporaryFile(MEMORY) as file:
            shutil.copyfileobj(cast("IO[bytes]", request.data), file)
            yield cast("IO[bytes]", file)
        return
    yield cast("IO[bytes]", file_of(request).file)


@extend_schema_view(
    get=extend_schema(
        operation_id="listImports", summary="List imports", description="Returns the caller's imports, newest first."
    )
)
class Imports(Queried, ListAPIView[ArchiveImport]):
    """The caller's imports, newest first."""

    serializer_class = ImportSerializer
    queryset = ArchiveImport.objects.none()
    queries = {"get": PageQuery}

    def get_queryset(self) -> QuerySet[ArchiveImport]:
        """Return the imports of the caller."""
        return ArchiveImport.objects.visible_to(self.request.user)


class OneImport(Queried):
    """An import, with its progress."""

    @extend_schema(
        operation_id="getImport",
        summary="Get an import",
        description="Returns an import with its progress: `done` of `total` entries have been processed.",
        responses=ImportSerializer,
    )
    def get(self, request: Request, pk: str) -> Response:
        """Answer with the import as it is now."""
        return Response(ImportSerializer(ArchiveImport.objects.get_visible(request.user, pk)).data)


class CancelImport(Queried):
    """The end of an import, as its owner wants it."""

    @extend_schema(
        operation_id="cancelImport",
        summary="Cancel an import",
        description="Stops an import. Imported objects are kept. Cancelling an import that has ended changes nothing.",
        request=None,
        responses={202: OpenApiResponse(ImportSerializer, description="The import is stopped, or is about to stop.")},
    )
    def post(self, request: Request, pk: str) -> Response:
        """Stop an import; answer with it as it is then."""
        return Response(ImportSerializer(imports.cancel(user=user_of(request), id=pk)).data, status=202)
