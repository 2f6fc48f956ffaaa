"""Uploading images and documents, and getting them back."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import condition
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from conversations.api.queries import Queried
from conversations.api.requesters import user_of
from conversations.api.uploads import UploadSerializer, declared_type, file_of
from conversations.content.media import DOCX, IMAGE_TYPES, PDF, XLSX
from conversations.errors import TooLarge
from conversations.models import Attachment
from conversations.services.files import attachments

SIZE_LIMIT = 32 * 1024 * 1024  # bytes; Claude's own limit on a request
FORM_LIMIT = 64 * 1024  # bytes of a form besides its file
BINARY = (*sorted(IMAGE_TYPES), PDF, DOCX, XLSX)


class AttachmentSerializer(serializers.ModelSerializer[Attachment]):
    """An uploaded file's metadata."""

    class Meta:
        model = Attachment
        fields = ("id", "sha256", "media_type", "size", "width", "height")


class Attachments(Queried):
    """Images and documents to be named in content."""

    parser_classes = (MultiPartParser,)
    body_limit = SIZE_LIMIT + FORM_LIMIT
    with_body = ("post",)

    @extend_schema(
        operation_id="uploadAttachment",
        summary="Upload a file",
        description="Stores an image or a document, to which content blocks can refer by its id: the types that "
        "Claude accepts, and for extraction also Word documents, spreadsheets, and CSV, HTML and e-mail in "
        "encodings other than UTF-8. Uploading the same bytes again returns the same attachment.",
        request={"multipart/form-data": UploadSerializer},
        responses={201: AttachmentSerializer},
    )
    def post(self, request: Request) -> Response:
        """Keep a file and return its attachment; the same bytes again are the same attachment."""
        file = file_of(request)
        if (file.size or 0) > SIZE_LIMIT:
            raise TooLarge(f"file: The file has {file.size} bytes; at most {SIZE_LIMIT} are allowed.")
        attachment = attachments.store(owner=user_of(request), data=file.read(), declared=declared_type(file))
        return Response(AttachmentSerializer(attachment).data, status=201)


class AttachmentContent(Queried):
    """The bytes of an attachment."""

    @extend_schema(
        operation_id="downloadAttachment",
        summary="Download a file",
        description="Returns the file as it was uploaded. It must be the caller's own, or in a conversation that is "
        "shared with the caller.",
        responses={(200, "text/plain"): OpenApiTypes.STR, (200, *BINARY): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, pk: str) -> HttpResponse:
        """Answer with the bytes as they were uploaded."""
        return served(request._request, Attachment.objects.readable_by(request.user).get_by_id(pk))


def _etag(request: HttpRequest, attachment: Attachment) -> str:
    return f'"{attachment.sha256}"'


def _last_modified(request: HttpRequest, attachment: Attachment) -> datetime:
    return attachment.created_at


@condition(etag_func=_etag, last_modified_func=_last_modified)
def served(request: HttpRequest, attachment: Attachment) -> HttpResponse:
    """Return the bytes of an attachment as a response that browsers do not execute.

    A client that has the present bytes gets 304, without reading the storage.
    """
    image = attachment.media_type.startswith("image/")
    headers = {
        "Content-Disposition": "inline" if image else "attachment",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, max-age=31536000, immutable",
    }
    return HttpResponse(attachments.read_bytes(attachment), content_type=attachment.media_type, headers=headers)
