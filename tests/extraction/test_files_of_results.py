"""Exported results: every value has its place, numbers keep their digits, and no cell is a formula."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.tables import Workbook
from extraction.results import columns
from extraction.results.columns import Layout, flattened
from extraction.results.result import Result
from extraction.results.writers import Csv, Xlsx, json_lines

KEYS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=4)
SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner), max_leaves=12)
DATA = st.dictionaries(KEYS, VALUES)
INVOICES = [
    Result("a.pdf", "succeeded", {"vendor": {"name": "=HYPERLINK(1)"}, "total": Decimal("12345678901234567.89")}),
    Result("b.pdf", "succeeded", {"vendor": {"name": "Ünal"}, "lines": [{"sku": "-1", "n": 2}, {"sku": "x", "n": 3}]}),
    Result("c.pdf", "failed", error={"type": "budget_exceeded", "message": "Not enough left."}),
]


def layout_of(results: list[Result]) -> Layout:
    layout = Layout()
    for each in results:
        layout.add(each.data)
    return layout


def csv_of(results: list[Result], **options: Any) -> list[dict[str, str]]:
    writer = Csv(layout_of(results), **options)
    text = (writer.head() + writer.rows(results)).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_csv_has_a_row_an_item_and_paths_as_columns() -> None:
    first, second, third = csv_of(INVOICES)
    assert (first["key"], first["vendor.name"], first["total"]) == ("a.pdf", "'=HYPERLINK(1)", "12345678901234567.89")
    assert json.loads(second["lines"]) == [{"sku": "-1", "n": 2}, {"sku": "x", "n": 3}]
    assert (third["status"], third["error"], third["total"]) == ("failed", "Not enough left.", "")
    assert Csv(layout_of(INVOICES)).head().startswith(b"\xef\xbb\xbfkey,status,")


def test_a_list_of_objects_is_a_second_file() -> None:
    rows = csv_of(INVOICES, list="lines")
    assert [(row["key"], row["number"], row["sku"], row["n"]) for row in rows] == [
        ("b.pdf", "1", "'-1", "2"),
        ("b.pdf", "2", "x", "3"),
    ]


def test_a_workbook_has_a_sheet_for_each_list(tmp_path: Path) -> None:
    workbook = Xlsx(layout_of(INVOICES), tmp_path)
    workbook.write(INVOICES[:1])
    workbook.write(INVOICES[1:])
    book = openpyxl.load_workbook(workbook.close())
    assert book.sheetnames == ["items", "lines"]
    header, first, *_ = book["items"].iter_rows(values_only=True)
    row = dict(zip(header, first, strict=True))
    assert row["total"] == "12345678901234567.89", "a number of a workbook would lose its last digits"
    assert [row[3] for row in book["lines"].iter_rows(values_only=True)] == ["n", 2, 3]
    assert all(cell.data_type != "f" for sheet in book for line in sheet for cell in line)


def test_a_table_longer_than_a_sheet_goes_on_in_the_next(tmp_path: Path) -> None:
    workbook = Workbook(tmp_path, rows=3)
    one, other = workbook.table("lines", ["n"]), workbook.table("others", ["x"])
    for number in range(5):
        one.write([[number]])
        other.write([[f"{number}"]] if number < 2 else [])
    book = openpyxl.load_workbook(workbook.close())
    found = {sheet.title: [row[0] for row in sheet.iter_rows(values_only=True)] for sheet in book}
    assert found == {
        "lines": ["n", 0, 1],
        "others": ["x", "0", "1"],
        "lines (2)": ["n", 2, 3],
        "lines (3)": ["n", 4],
    }


def test_json_lines_keep_every_digit() -> None:
    first = json_lines(INVOICES).decode().splitlines()[0]
    assert '"total": 12345678901234567.89' in first


def test_columns_of_data_do_not_take_the_place_of_an_items_own() -> None:
    [row] = csv_of([Result("k", "succeeded", {"key": "theirs", "status": "open"})])
    assert (row["key"], row["data.key"], row["status"], row["data.status"]) == ("k", "theirs", "succeeded", "open")


def test_what_has_no_column_of_its_own_is_kept(monkeypatch: Any) -> None:
    monkeypatch.setattr(columns, "MOST", 2)
    [row] = csv_of([Result("k", "succeeded", {"a": 1, "b": 2, "c": 3, "d": {"e": 4}})])
    assert (row["a"], row["b"], json.loads(row["(others)"])) == ("1", "2", {"c": 3, "d.e": 4})


def leaves(value: Any) -> int:
    return sum(map(leaves, value.values())) if isinstance(value, dict) and value else 1


@settings(max_examples=20)
@given(st.lists(DATA, max_size=3))
def test_no_two_values_share_a_column(found: list[dict[str, Any]]) -> None:
    for data in found:
        assert len(flattened(data)) == sum(leaves(value) for value in data.values())
    layout = layout_of([Result("k", "succeeded", data) for data in found])
    assert all(len(layout.row(Result("k", "succeeded", data))) == len(layout.header) for data in found)
