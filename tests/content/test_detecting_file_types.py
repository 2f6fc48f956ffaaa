"""A file is what its bytes say, whatever it is called."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

import pytest
from PIL import Image

from conversations.content.media import DOCX, SIDE_LIMIT, XLSX, Identified, identify
from conversations.errors import InvalidRequest, UnsupportedMediaType


def image(format: str, width: int = 3, height: int = 2) -> bytes:
    buffer = io.BytesIO()
    Image.new("1", (width, height)).convert("RGB" if format != "GIF" else "P").save(buffer, format)
    return buffer.getvalue()


def archive(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name in names:
            file.writestr(name, "x")
    return buffer.getvalue()


@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF", "WEBP"])
def test_an_image_is_known_with_its_size(format: str) -> None:
    assert identify(image(format), "text/csv") == Identified(f"image/{format.lower()}", 3, 2)


def test_both_versions_of_gif_are_known() -> None:
    old = b"GIF87a" + image("GIF")[6:]
    assert identify(old).media_type == "image/gif"


KNOWN: dict[str, tuple[bytes, str, str]] = {
    "a PDF": (b"%PDF-1.4 and more", "", "application/pdf"),
    "a document of Word": (archive("[Content_Types].xml", "word/document.xml"), "", DOCX),
    "a table of Excel": (archive("[Content_Types].xml", "xl/workbook.xml"), "", XLSX),
    "text": (b"Hello", "", "text/plain"),
    "text in UTF-8": ("Größe".encode(), "", "text/plain"),
    "text with a mark of its order": ("\ufeffGröße".encode(), "", "text/plain"),
    "text that has another name": (b"Hello", "application/pdf", "text/plain"),
    "a table in Latin-1": ("Größe;1".encode("latin-1"), "text/csv", "text/csv"),
    "HTML in Windows-1252": ("<p>“x”".encode("cp1252"), "text/html", "text/html"),
    "mail with an escape": ("ä\x1b(B".encode("latin-1"), "message/rfc822", "message/rfc822"),
    "a table in UTF-16, little end first": (b"\xff\xfe" + "a;b".encode("utf-16-le"), "text/csv", "text/csv"),
    "a table in UTF-16, big end first": (b"\xfe\xff" + "a;b".encode("utf-16-be"), "text/csv", "text/csv"),
}


@pytest.mark.parametrize(("data", "declared", "found"), KNOWN.values(), ids=KNOWN)
def test_its_content_tells(data: bytes, declared: str, found: str) -> None:
    assert identify(data, declared) == Identified(found)


UNKNOWN: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", ""),
    "nothing, called a table": (b"", "text/csv"),
    "white space": (b" \n\t", ""),
    "text with NUL": (b"a\0b", ""),
    "text in Latin-1": ("Größe".encode("latin-1"), ""),
    "text in Latin-1, called text": ("Größe".encode("latin-1"), "text/plain"),
    "text in Latin-1, called a PDF": ("Größe".encode("latin-1"), "application/pdf"),
    "text in UTF-16": (b"\xff\xfe" + "ab".encode("utf-16-le"), ""),
    "bytes, called a table": (b"\xff\x00\x01", "text/csv"),
    "a program, called HTML": (b"\x7fELF\x02\xff\x01", "text/html"),
    "an archive of anything": (archive("readme.txt"), ""),
    "an archive, called a document": (archive("readme.txt"), DOCX),
}


@pytest.mark.parametrize(("data", "declared"), UNKNOWN.values(), ids=UNKNOWN)
def test_what_it_can_not_be_is_refused(data: bytes, declared: str) -> None:
    with pytest.raises(UnsupportedMediaType, match="text in UTF-8"):
        identify(data, declared)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF", "WEBP"])
def test_an_image_that_is_cut_in_its_head_is_refused(format: str) -> None:
    with pytest.raises(InvalidRequest, match="cut, or damaged"):
        identify(image(format)[:12])


@pytest.mark.parametrize(("width", "height"), [(SIDE_LIMIT, 1), (1, SIDE_LIMIT)])
def test_the_largest_image_is_taken_and_no_larger_one(width: int, height: int) -> None:
    assert identify(image("PNG", width, height)) == Identified("image/png", width, height)
    longer = [side + (side > 1) for side in (width, height)]
    with pytest.raises(InvalidRequest, match=f"{longer[0]} x {longer[1]} pixels; at most 8000 x 8000"):
        identify(image("PNG", *longer))


def test_the_size_of_a_decompression_bomb_is_read_without_warning_of_it() -> None:
    """Its head alone says that it has so many pixels."""
    small = image("PNG")
    head = b"IHDR" + struct.pack(">II", 12_000, 12_000) + small[24:29]
    with pytest.raises(InvalidRequest, match="12000 x 12000 pixels"):
        identify(small[:12] + head + struct.pack(">I", zlib.crc32(head)) + small[33:])
