"""Output of results: JSON lines as they come, and a table of all of them at the end."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from config.server_access import Answer
from conversations.contract.error_types import Failure
from extraction.results.columns import Layout
from extraction.results.result import Result
from extraction.results.writers import Csv, Xlsx


def result_of(key: str, extraction: Answer) -> Result:
    """Return the result of a file, from the API's representation of its extraction."""
    data = extraction["data"] if extraction.get("final") is None else extraction["final"]
    return Result(
        key=key,
        status=extraction["status"],
        data=data,
        problems=extraction["problems"],
        error=extraction["error"],
        evidence=extraction["evidence"],
        review=extraction.get("review"),
        usage=extraction["usage"],
        cost=extraction["cost"],
        extraction=extraction["id"],
    )


def refused(key: str, error: Failure) -> Result:
    """Return the result of a file that the server refused."""
    return Result(key=key, status="failed", error=error)


def write_csv(results: Sequence[Result], path: Path) -> None:
    """Write a table with a row for each file."""
    table = Csv(_layout(results))
    path.write_bytes(table.head() + table.rows(results))


def write_xlsx(results: Sequence[Result], path: Path) -> None:
    """Write a workbook with a row for each file, and a sheet for each list of objects."""
    with tempfile.TemporaryDirectory() as folder:
        book = Xlsx(_layout(results), Path(folder))
        book.write(results)
        path.write_bytes(book.close().read_bytes())


def _layout(results: Sequence[Result]) -> Layout:
    layout = Layout()
    for each in results:
        layout.add(each.data)
    return layout
