"""What a file is, by its bytes. Pure."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass

from conversations.errors import InvalidRequest, UnsupportedMediaType

FORMATS = {"JPEG": "image/jpeg", "PNG": "image/png", "GIF": "image/gif", "WEBP": "image/webp"}
IMAGE_TYPES = frozenset(FORMATS.values())

MAGIC = {b"\xff\xd8\xff": "JPEG", b"\x89PNG\r\n\x1a\n": "PNG", b"GIF87a": "GIF", b"GIF89a": "GIF", b"RIFF": "WEBP"}

SIDE_LIMIT = 8000  # pixels (claude-api.md 6)


@dataclass(frozen=True)
class Identified:
    """The type of a file, and an image's size in pixels."""

    media_type: str
    width: int | None = None
    height: int | None = None


def identify(data: bytes) -> Identified:
    """Return what an image, PDF or plain text is. Raises UnsupportedMediaType, or InvalidRequest for a bad image."""
    for magic, format in MAGIC.items():
        if data.startswith(magic):
            return _image(data, format)
    if data.startswith(b"%PDF-"):
        return Identified("application/pdf")
    if _is_text(data):
        return Identified("text/plain")
    raise UnsupportedMediaType


def _image(data: bytes, format: str) -> Identified:
    from PIL import Image, UnidentifiedImageError  # here, since most processes never see an image

    # Only headers are read: the size is known before a decompression bomb could go off.
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=[format]) as image:
                width, height = image.size
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError, EOFError):
        raise InvalidRequest("The image can't be read.") from None
    if width > SIDE_LIMIT or height > SIDE_LIMIT:
        raise InvalidRequest(f"The image is {width} x {height} pixels; at most {SIDE_LIMIT} x {SIDE_LIMIT} are taken.")
    return Identified(FORMATS[format], width, height)


def _is_text(data: bytes) -> bool:
    try:
        return bool(data.strip()) and "\0" not in data.decode()
    except UnicodeDecodeError:
        return False
