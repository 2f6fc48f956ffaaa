"""Reading uploaded files from forms."""

from __future__ import annotations

import mimetypes
from typing import cast

from django.core.files.uploadedfile import UploadedFile
from django.utils.datastructures import MultiValueDict
from rest_framework import serializers
from rest_framework.request import Request

from conversations.api.serializer_fields import StrictSerializer, check_given_once
from conversations.content.media import TEXTUAL

NO_FILE = "No file was sent. Send it as the field `file` of a multipart/form-data body."


class UploadSerializer(StrictSerializer):
    """A multipart form with a file."""

    file = serializers.FileField(allow_empty_file=True, error_messages={"required": NO_FILE, "null": NO_FILE})


def file_of(request: Request) -> UploadedFile[bytes]:
    """Return the file of a form, which must have no other field. Raise ValidationError."""
    form = request.data
    if isinstance(form, MultiValueDict):
        check_given_once(form)
    return cast("UploadedFile[bytes]", UploadSerializer.checked_values(form)["file"])


def declared_type(file: UploadedFile[bytes]) -> str:
    """Return the declared media type of a file: by its part's header, or else by its name; empty if unknown."""
    guessed, _ = mimetypes.guess_type(file.name or "")
    return file.content_type if file.content_type in TEXTUAL else guessed or ""
