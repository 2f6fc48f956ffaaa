"""Finding table rows in a text, for fields that resemble the table's header. Pure."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise

from conversations.sandbox.text_values import ENOUGH, PATTERNS, Found, found, likeness, words_of

Split = Callable[[str], list[str]]
Row = dict[str, Found]

LEAST_COLUMNS = 2
SUMS = frozenset(["total", "subtotal", "sum", "balance", "grand"])
"""Words with which the lines below a table begin that are not of it."""


def _by(mark: str) -> Split:
    return lambda line: [cell.strip() for cell in line.split(mark)]


def _as_csv(mark: str) -> Split:
    return lambda line: [cell.strip() for cell in next(csv.reader([line], delimiter=mark), [])]


SPLITS: list[tuple[str, Split]] = [("|", _by("|")), ("\t", _by("\t")), (";", _as_csv(";")), (",", _as_csv(","))]


class Lines:
    """An iterator over the lines of a text that can go back by one."""

    def __init__(self, text: str) -> None:
        self._left = text.splitlines()[::-1]

    def __iter__(self) -> Iterator[str]:
        while self._left:
            yield self._left.pop()

    def back(self, line: str) -> None:
        """Go back by one line."""
        self._left.append(line)


def rows(text: str, fields: Mapping[str, str]) -> list[Row]:
    """Return the rows of all tables whose headers have the fields, each with its values for them.

    `fields` has the kind of each field's values (text_values.PATTERNS), or `text`.
    """
    lines = Lines(text)
    names = {name: words_of(name) for name in fields}
    found_rows: list[Row] = []
    for line in lines:
        for mark, split in SPLITS:
            columns = _columns(split(line), names) if mark in line else {}
            if len(columns) >= min(LEAST_COLUMNS, len(fields)):
                found_rows += _below(lines, split, columns, fields)
                break
        else:
            found_rows += _spaced(lines, line, names, fields)
    return found_rows


def _columns(header: list[str], names: Mapping[str, list[str]]) -> dict[int, str]:
    """Return the field of each column of a header, if it is one."""
    columns: dict[int, str] = {}
    labels = [words_of(cell) for cell in header]
    pairs = [(likeness(words, label), -at, name) for name, words in names.items() for at, label in enumerate(labels)]
    for fit, at, name in sorted(pairs, reverse=True):
        if fit >= ENOUGH and -at not in columns and name not in columns.values():
            columns[-at] = name
    return columns


def _below(lines: Lines, split: Split, columns: dict[int, str], fields: Mapping[str, str]) -> Iterator[Row]:
    """Yield the rows below a header, up to the first other line."""
    for line in lines:
        cells = split(line)
        if line.strip() and not line.strip(" |-:+="):
            continue  # a rule between header and rows
        row = {name: cells[at] for at, name in columns.items() if at < len(cells)}
        read = {name: _read(fields[name], cell) for name, cell in row.items() if cell}
        if len(cells) <= max(columns) - 1 or not read or None in read.values() or _is_sum(line):
            lines.back(line)
            return
        yield {name: each for name, each in read.items() if each}


def _spaced(lines: Lines, header: str, names: Mapping[str, list[str]], fields: Mapping[str, str]) -> Iterator[Row]:
    """Yield the rows below a header whose columns are separated by spaces only: words, followed by numbers."""
    labels = header.split()
    columns = _columns(labels, names)
    order = [columns[at] for at in sorted(columns)]
    numbers = [name for name in order if fields[name] == "number"]
    others = [name for name in order if fields[name] != "number"]
    if len(labels) > len(order) + 2 or not numbers or len(others) != 1 or order[0] != others[0]:
        return
    for line in lines:
        matches = list(PATTERNS["number"].finditer(line))[-len(numbers) :]
        if len(matches) < len(numbers) or _is_sum(line) or not _adjacent(line, matches):
            lines.back(line)
            return
        words = line[: matches[0].start()].strip(" $€£")
        yield {others[0]: Found(words, words)} | {
            name: found("number", match[0]) for name, match in zip(numbers, matches, strict=True)
        }


def _adjacent(line: str, matches: list[re.Match[str]]) -> bool:
    """Return whether a line has words, then numbers, with only spaces and currency signs between and behind them."""
    between = [line[one.end() : other.start()] for one, other in pairwise(matches)]
    return bool(line[: matches[0].start()].strip()) and not "".join([*between, line[matches[-1].end() :]]).strip(" $€£")


def _read(kind: str, cell: str) -> Found | None:
    if kind not in PATTERNS or kind in ("code", "name"):
        return Found(cell, cell)
    match = PATTERNS[kind].search(cell)
    return found(kind, match[0]) if match else None


def _is_sum(line: str) -> bool:
    return bool(SUMS & {*words_of(line)[:1]})
