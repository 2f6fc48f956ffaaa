"""Files that are uploaded in forms."""

from __future__ import annotations

import mimetypes

from django.core.files.uploadedfile import UploadedFile

from conversations.content.media import TEXTUAL


def declared_type(file: UploadedFile[bytes]) -> str:
    """Return the media type that a file is sent as: by its part's header, or else by its name; empty where unknown."""
    guessed, _ = mimetypes.guess_type(file.name or "")
    return file.content_type if file.content_type in TEXTUAL else guessed or ""
