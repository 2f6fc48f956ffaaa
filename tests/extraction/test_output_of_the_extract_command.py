"""The output of `manage.py extract`: a result for each file, tables, and progress."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from config.extracting.output import refused, result_of, write_csv, write_xlsx
from config.extracting.progress import FilesProgress

SHOWN: dict[str, Any] = {
    "id": "e-1",
    "status": "succeeded",
    "data": {"total": 5},
    "problems": [],
    "error": None,
    "evidence": [],
    "usage": {"requests": 1},
    "cost": "0.25",
}


def test_a_result_is_that_of_the_api() -> None:
    found = result_of("a.pdf", SHOWN)
    assert (found.key, found.status, found.data, found.cost, found.extraction) == (
        *("a.pdf", "succeeded", {"total": 5}, "0.25", "e-1"),
    )
    assert (found.review, found.usage) == (None, {"requests": 1})


@pytest.mark.parametrize(
    ("final", "data"), [(None, {"total": 5}), ({"total": 6}, {"total": 6}), ({}, {}), (0, 0), (False, False)]
)
def test_data_that_was_corrected_counts(final: Any, data: Any) -> None:
    assert result_of("a", {**SHOWN, "final": final}).data == data


def test_a_file_that_was_not_taken_has_its_reason() -> None:
    found = refused("b.pdf", {"type": "invalid_request_error", "message": "It is encrypted."})
    assert (found.key, found.status, found.data, found.complaint) == ("b.pdf", "failed", None, "It is encrypted.")


def test_tables_have_a_row_for_each_file(tmp_path: Path) -> None:
    results = [
        result_of("a.pdf", {**SHOWN, "data": {"total": 5, "lines": [{"n": 1}, {"n": 2}]}}),
        refused("b.pdf", {"type": "invalid_request_error", "message": "No."}),
    ]
    write_csv(results, tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["key"], row["status"], row["error"], row["total"]) for row in rows] == [
        ("a.pdf", "succeeded", "", "5"),
        ("b.pdf", "failed", "No.", ""),
    ]
    write_xlsx(results, tmp_path / "a.xlsx")
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    assert book.sheetnames == ["items", "lines"]
    assert [[each.value for each in row] for row in book["lines"].iter_rows(min_row=2)] == [
        ["a.pdf", 1, 1],
        ["a.pdf", 2, 2],
    ]


SAID = [
    ([(True, "0.1"), (True, "0.15")], "2 of 3 files; cost $0.250000"),
    ([(True, "0.1"), (False, "0"), (False, "0.0000004")], "3 of 3 files, 2 without valid data; cost $0.100000"),
    ([], "0 of 3 files; cost $0.000000"),
]


@pytest.mark.parametrize(("files", "line"), SAID, ids=[line for _, line in SAID])
def test_where_there_is_no_terminal_a_line_says_what_was_done(
    files: list[tuple[bool, str]], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with FilesProgress(3) as progress:
        for valid, cost in files:
            progress.add(valid=valid, cost=Decimal(cost))
    assert capsys.readouterr().err.strip() == line


def test_what_a_batch_has_come_to_takes_the_place_of_what_was_said(capsys: pytest.CaptureFixture[str]) -> None:
    with FilesProgress(9) as progress:
        progress.show(done=4, invalid=0, cost=Decimal(1))
        progress.show(done=9, invalid=1, cost=Decimal(2))
    assert capsys.readouterr().err.strip() == "9 of 9 files, 1 without valid data; cost $2.000000"
