"""Files made for tests: PDFs, Word documents, spreadsheets and mails."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Sequence
from typing import Any

import docx
import openpyxl

CATALOG = "<< /Type /Catalog /Pages 2 0 R >>"
FONT = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"
ENCRYPT = "<< /Filter /Standard /V 1 /R 2 /P -4 /O <{0}> /U <{0}> >>".format("ab" * 32)


def pdf(*pages: str, encrypted: bool = False) -> bytes:
    """Return a PDF with a page for each text, in Western European characters, with a password if `encrypted`."""
    numbers = [4 + 2 * index for index in range(len(pages))]
    kids = " ".join(f"{number} 0 R" for number in numbers)
    objects = [CATALOG, f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>", FONT]
    for number, page in zip(numbers, pages, strict=True):
        resources = "/MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >>"
        objects.append(f"<< /Type /Page /Parent 2 0 R {resources} /Contents {number + 1} 0 R >>")
        stream = _shown(page.splitlines())
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
    return _written(objects, encrypted)


def _shown(lines: Sequence[str]) -> str:
    escaped = [line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)") for line in lines]
    return "BT /F1 11 Tf 14 TL 50 790 Td " + " ".join(f"({line}) Tj T*" for line in escaped) + " ET"


def _written(objects: Iterable[str], encrypted: bool) -> bytes:
    file, offsets = bytearray(b"%PDF-1.4\n"), []
    bodies = [*objects, *([ENCRYPT] if encrypted else [])]
    for number, body in enumerate(bodies, 1):
        offsets.append(len(file))
        file += f"{number} 0 obj\n{body}\nendobj\n".encode("cp1252")
    start, size = len(file), len(bodies) + 1
    entries = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    locked = f"/Encrypt {len(bodies)} 0 R /ID [<00> <00>]" if encrypted else ""
    file += f"xref\n0 {size}\n0000000000 65535 f \n{entries}".encode()
    return bytes(file) + f"trailer << /Size {size} /Root 1 0 R {locked} >>\nstartxref\n{start}\n%%EOF\n".encode()


def word(paragraphs: Sequence[str], rows: Sequence[Sequence[str]] = (), header: str = "", footer: str = "") -> bytes:
    """Return a Word document of paragraphs, followed by a table."""
    document = docx.Document()
    for paragraph in paragraphs:
        document.add_paragraph(paragraph)
    if rows:
        table = document.add_table(len(rows), len(rows[0]))
        for cell, text in zip(table._cells, (text for row in rows for text in row), strict=True):
            cell.text = text
    section = document.sections[0]
    section.header.paragraphs[0].text, section.footer.paragraphs[0].text = header, footer
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def workbook(**sheets: Sequence[Sequence[Any]]) -> bytes:
    """Return a spreadsheet file with the rows of each sheet."""
    book = openpyxl.Workbook(write_only=True)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def archive(**members: bytes) -> bytes:
    """Return a ZIP archive of these members; in their names `__` stands for `/` and `_` for a dot."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as written:
        for name, data in members.items():
            written.writestr(name.replace("__", "/").replace("_", "."), data)
    return file.getvalue()
