"""Data of any shape becomes table cells: which column a value gets, and which values get cells of their own."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.tables import CELL, CUT, Workbook, csv_rows, decimal_text, plain
from extraction.results import columns
from extraction.results.columns import Columns, Layout, cell, flattened, is_table
from extraction.results.result import Result
from extraction.results.writers import Csv, Xlsx

FLATTENED: dict[str, tuple[Any, dict[str, Any]]] = {
    "objects in objects": ({"a": {"b": {"c": 1}}, "d": 2}, {"a.b.c": 1, "d": 2}),
    "an empty object": ({"a": {}}, {"a": {}}),
    "a list": ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 2}]}),
    "dots and backslashes in keys": (
        {"a.b": 1, "a": {"b": 2}, "c\\": {"d": 3}, "c\\.d": 4},
        {"a\\.b": 1, "a.b": 2, "c\\\\.d": 3, "c\\\\\\.d": 4},
    ),
    "no object at all": ([1, 2], {"data": [1, 2]}),
    "a number": (7, {"data": 7}),
}


@pytest.mark.parametrize("name", FLATTENED)
def test_a_path_is_a_column(name: str) -> None:
    data, values = FLATTENED[name]
    assert flattened(data) == values
    assert list(flattened(data)) == list(values)


@pytest.mark.parametrize(
    ("value", "yes"),
    [
        ([{"a": 1}], True),
        ([{}, {}], True),
        ([], False),
        ([1], False),
        ([{}, 1], False),
        ({"a": 1}, False),
        ("x", False),
    ],
    ids=str,
)
def test_a_table_is_a_list_of_objects_alone(value: Any, yes: bool) -> None:
    assert is_table(value) == yes


@pytest.mark.parametrize(
    ("value", "written"),
    [([1, "ü"], '[1, "ü"]'), ({}, "{}"), ("a", "a"), (None, None), (True, True), (Decimal("1.10"), Decimal("1.10"))],
    ids=str,
)
def test_a_cell_is_a_value_or_its_json(value: Any, written: Any) -> None:
    assert cell(value) == written


def test_columns_come_in_the_order_in_which_they_were_met() -> None:
    table = Columns()
    table.add(["b", "a"])
    table.add(["c", "a"])
    assert list(table.names) == ["b", "a", "c"]
    assert table.row({"a": 1, "c": [2]}) == [None, 1, "[2]"]


def test_only_what_has_no_column_stands_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "MOST", 1)
    table = Columns()
    table.add(["a", "b", "c"])
    assert list(table.names) == ["a", "(others)"]
    assert table.row({"a": 1}) == [1, None], "an item that has nothing more has nothing there"
    assert table.row({"b": 2, "c": 3}) == [None, '{"b": 2, "c": 3}']


def results(*data: Any, **more: Any) -> list[Result]:
    return [Result(f"k{number}", "succeeded", each, **more) for number, each in enumerate(data)]


def layout_of(several: list[Result]) -> Layout:
    layout = Layout()
    for each in several:
        layout.add(each.data)
    return layout


LISTS = results(
    {"a": {"lines": [{"key": 1, "n": {"x": 2}}]}}, None, {"a": {"lines": [{"y": 3}, {}]}}, {"a": {"lines": "no"}}
)


def test_a_lists_table_says_whose_each_object_is_and_which() -> None:
    layout = layout_of(LISTS)
    assert list(layout.lists) == ["a.lines"]
    assert layout.list_header("a.lines") == ["key", "number", "data.key", "n.x", "y"]
    assert [layout.list_rows("a.lines", each) for each in LISTS] == [
        [["k0", 1, 1, 2, None]],
        [],
        [["k2", 1, None, None, 3], ["k2", 2, None, None, None]],
        [],
    ]


def test_an_items_row_leaves_lists_to_their_tables_where_it_is_told_to() -> None:
    layout = layout_of(LISTS)
    assert layout.header == ["key", "status", "error", "review", "cost", "a.lines"]
    assert [layout.row(each)[-1] for each in LISTS] == [
        '[{"key": 1, "n": {"x": 2}}]',
        None,
        '[{"y": 3}, {}]',
        "no",
    ]
    assert [layout.row(each, lists=False)[-1] for each in LISTS] == [None, None, None, "no"]


def test_what_is_said_of_an_item_stands_before_its_data() -> None:
    reviewed: Any = {"decision": "corrected", "comment": "", "reviewer": None, "created_at": ""}
    [found] = results({"a": 1}, review=reviewed, cost="0.25", problems=[{"path": "", "message": "No."}])
    assert layout_of([found]).row(found) == ["k0", "succeeded", "/: No.", "corrected", "0.25", 1]


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ({}, ""),
        ({"error": {"type": "api_error", "message": "Lost."}}, "Lost."),
        ({"error": {"type": "api_error", "message": ""}}, "api_error"),
        ({"error": {"type": "api_error", "message": "Lost."}, "problems": [{"path": "/a", "message": "x"}]}, "Lost."),
        ({"problems": [{"path": "/a", "message": "x"}, {"path": "", "message": "y"}]}, "/a: x; /: y"),
    ],
    ids=str,
)
def test_what_is_wrong_with_an_item_is_told_in_words(more: Any, complaint: str) -> None:
    assert results(None, **more)[0].complaint == complaint


def test_the_files_of_no_results_have_their_headers(tmp_path: Path) -> None:
    assert Csv(Layout()).head() + Csv(Layout()).rows([]) == "\ufeffkey,status,error,review,cost\r\n".encode()
    book = openpyxl.load_workbook(Xlsx(Layout(), tmp_path).close())
    assert [[each.value for each in row] for row in book["items"].iter_rows()] == [[*columns.ITEM]]


PLAIN = [
    (None, None),
    (True, True),
    (3, 3),
    (Decimal("12.500"), "12.5"),
    (Decimal(-3), "-3"),
    (timedelta(minutes=2), 120.0),
    ({"a": "=1"}, '{"a": "=1"}'),
    (date(2026, 1, 2), "2026-01-02"),
    (datetime(2026, 1, 2, 3), "2026-01-02T03:00:00"),
    ("a=1", "a=1"),
    *((f"{sign}1", f"'{sign}1") for sign in ("=", "+", "-", "@", "\t", "\r", "\n")),
]


@pytest.mark.parametrize(("value", "written"), PLAIN, ids=repr)
def test_a_cell_is_written_so(value: Any, written: Any) -> None:
    assert plain(value) == written


NUMBERS = [("1.50", "1.5"), ("100", "100"), ("1E+2", "100"), ("0.00", "0"), ("1E-7", "0.0000001"), ("-1.10", "-1.1")]
NUMBERS += [("1E+299", f"1{'0' * 299}"), ("1E+300", "1E+300"), ("1E-300", "1E-300"), ("1.20E+301", "1.20E+301")]


@pytest.mark.parametrize(("number", "written"), NUMBERS)
def test_numbers_have_all_their_digits_and_no_more(number: str, written: str) -> None:
    assert decimal_text(Decimal(number)) == written


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_a_number_is_the_same_when_it_is_read_again(number: Decimal) -> None:
    assert Decimal(decimal_text(number)) == number


@given(st.lists(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n")), min_size=1), min_size=1))
def test_no_cell_of_csv_begins_a_formula_and_every_one_is_kept(rows: list[list[str]]) -> None:
    read = list(csv.reader(io.StringIO(csv_rows([[*row] for row in rows]).decode(), newline="")))
    assert [[each.removeprefix("'") for each in row] for row in read] == [
        [each.removeprefix("'") for each in row] for row in rows
    ]
    assert not any(each.startswith(("=", "+", "-", "@")) for row in read for each in row)


def cells_of(tmp_path: Path, *row: Any) -> list[Any]:
    workbook = Workbook(tmp_path)
    workbook.table("t", ["h"]).write([[*row]])
    return [each.value for each in openpyxl.load_workbook(workbook.close())["t"][2]]


def test_a_workbook_has_numbers_where_they_keep_their_digits(tmp_path: Path) -> None:
    exact, longer = Decimal("123456789012.345"), Decimal("1234567890123.4567")
    row = [1, 2.5, True, None, exact, longer, 10**15, 10**16 + 1, "=1", "", "x" * CELL, "x" * (CELL + 1)]
    assert cells_of(tmp_path, *row) == [
        *(1, 2.5, True, None, float(exact), str(longer), 10**15, str(10**16 + 1), "'=1", "", "x" * CELL),
        "x" * (CELL - len(CUT)) + CUT,
    ]


def test_sheets_have_names_that_excel_takes(tmp_path: Path) -> None:
    workbook = Workbook(tmp_path)
    names = ["a/b[c]:d*?\\'", "", "Lines", "lines", "x" * 40, "x" * 41]
    for each in names:
        workbook.table(each, [])
    titles = openpyxl.load_workbook(workbook.close()).sheetnames
    assert titles == ["a_b_c__d____", "Sheet", "Lines", "lines (2)", "x" * 31, f"{'x' * 25} (2)"]
