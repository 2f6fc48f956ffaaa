"""`manage.py extract`: JSON lines on stdout, progress on stderr, tables on request, status 1 without valid data."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.core.management import CommandError, call_command

from conversations.models import Usage
from tests.clients import Api
from tests.processes import ROOT

SAMPLES = ROOT / "extraction" / "samples"
TOTAL = {
    "type": "object",
    "properties": {"total": {"type": "number"}},
    "required": ["total"],
    "additionalProperties": False,
}


class Extract:
    """The `extract` command, run as a user."""

    def __init__(self, api: Api, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._api, self._folder, self._capsys = api, folder, capsys
        self.status = 0
        self.said = ""

    def file(self, name: str, content: bytes) -> str:
        """Create a file; return its path."""
        path = self._folder / name
        path.write_bytes(content)
        return str(path)

    def __call__(self, *arguments: str, schema: Any = TOTAL) -> list[dict[str, Any]]:
        """Run the command; return the JSON lines that it prints."""
        self._capsys.readouterr()
        named = schema if isinstance(schema, str) else self.file("schema.json", json.dumps(schema).encode())
        access = ("--url", self._api.url, "--token", self._api.token)
        try:
            call_command("extract", "--schema", named, *access, *arguments)
            self.status = 0
        except SystemExit as ended:
            self.status = int(str(ended.code))
        printed = self._capsys.readouterr()
        self.said = printed.err
        return [json.loads(line) for line in printed.out.splitlines()]


@pytest.fixture
def extract(api: Api, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Extract:
    return Extract(api, tmp_path, capsys)


def test_files_are_extracted_from_in_their_order_and_told_what_they_cost(api: Api, extract: Extract) -> None:
    paths = [extract.file(f"{number}.txt", f"Total: {number}.50".encode()) for number in range(5)]
    lines = extract(*paths)
    assert [(line["key"], line["data"]["total"]) for line in lines] == [
        (path, number + 0.5) for number, path in enumerate(paths)
    ]
    assert extract.status == 0
    cost = sum(row.cost or 0 for row in Usage.objects.filter(user=api.user))
    assert f"5 of 5 files; cost ${cost:.6f}" in extract.said


def test_the_status_is_1_where_a_file_has_no_valid_data(extract: Extract) -> None:
    good, bad = extract.file("a.txt", b"Total: 70"), extract.file("b.txt", b"Total: 7")
    unread = extract.file("c.bin", b"\x00\x01")
    lines = extract(good, bad, unread, schema={**TOTAL, "properties": {"total": {"type": "number", "minimum": 10}}})
    assert [line["status"] for line in lines] == ["succeeded", "invalid", "failed"]
    assert lines[2]["error"]["type"] == "unsupported_media_type"
    assert extract.status == 1
    assert "3 of 3 files, 2 without valid data" in extract.said


@pytest.mark.usefixtures("worker")
def test_a_batch_costs_half_and_has_the_same_results(api: Api, extract: Extract) -> None:
    paths = [extract.file(f"{number}.txt", f"Total: {number}.50".encode()) for number in range(2)]
    unread = extract.file("c.bin", b"\x00\x01")
    live, batched = extract(*paths), extract("--batch", *paths, unread)
    assert [line["data"] for line in batched] == [*(line["data"] for line in live), None]
    assert [float(line["cost"]) * 2 for line in batched[:2]] == [float(line["cost"]) for line in live]
    assert (batched[2]["key"], batched[2]["status"], extract.status) == (unread, "failed", 1)


def test_results_are_written_as_tables_too(extract: Extract, tmp_path: Path) -> None:
    table, book = tmp_path / "out.csv", tmp_path / "out.xlsx"
    path = extract.file("a.txt", b"Total: 7.25")
    extract("--csv", str(table), "--xlsx", str(book), path)
    with table.open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["key"], row["status"], row["total"]) == (path, "succeeded", "7.25")
    rows = list(openpyxl.load_workbook(book)["items"].values)
    assert dict(zip(rows[0], rows[1], strict=True))["total"] == 7.25


def test_what_is_wrong_with_the_call_is_said(api: Api, extract: Extract) -> None:
    path = extract.file("a.txt", b"Total: 7")
    with pytest.raises(CommandError, match=r"no such file: .*missing\.txt"):
        extract(path, "missing.txt")
    with pytest.raises(CommandError, match="is not JSON"):
        extract(path, schema=extract.file("broken.json", b"{"))
    lines = extract(path, schema={"type": "strin"})
    assert (lines[0]["status"], lines[0]["error"]["type"], extract.status) == ("failed", "invalid_request_error", 1)


def test_the_three_sample_invoices(extract: Extract) -> None:
    lines = extract(
        *(str(SAMPLES / name) for name in ("tea.pdf", "paper.html", "hosting.eml")),
        schema=str(SAMPLES / "invoice.json"),
    )
    assert [(line["data"]["total"], len(line["data"]["lines"])) for line in lines] == [(51.6, 2), (84.97, 2), (104, 2)]
    assert all(each["status"] == "exact" for line in lines for each in line["evidence"])
