"""Commands and examples in the documents. `python -m tests.readme tests` prints the README's command of that name."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
BLOCK = re.compile(r"<!-- (\w+) -->\n```(\w+)\n(.*?)```", re.DOTALL)
ANYTHING = "…"
"""Stands for a part of an output that differs from run to run."""
CUT = '"}\n\ndata: {"token": "'
"""The separator of two pieces of text in the plain stream, which differ from reader to reader."""


@dataclass(frozen=True)
class Example:
    """A code block that is executed, and the output that the document shows after it, if any."""

    language: str
    code: str
    shown: str | None = None
    answer: str = ""


def blocks(mark: str, document: Path = README) -> list[tuple[str, str]]:
    """Return the language and code of each block that follows a mark (an HTML comment)."""
    return [(language, code) for found, language, code in BLOCK.findall(document.read_text()) if found == mark]


def examples(document: Path) -> list[Example]:
    """Return the executable blocks of a document, in order."""
    found: list[Example] = []
    for mark, language, code in BLOCK.findall(document.read_text()):
        if mark == "executed":
            found.append(Example(language, code))
        elif mark == "answers":
            found[-1] = Example(found[-1].language, found[-1].code, language, code)
    return found


def check(example: Example, output: str) -> None:
    """Compare the output of an example with the output in the document."""
    if example.shown == "json":
        check_json(json.loads(example.answer), json.loads(output), "answer")
    elif example.shown is not None:
        check_text(example.answer.strip().replace(CUT, ""), output.strip().replace(CUT, ""), example.code)


def check_json(shown: Any, given: Any, where: str) -> None:
    """Compare JSON values: objects may have more fields than the document shows."""
    if isinstance(shown, dict):
        assert isinstance(given, dict), where
        for name, value in shown.items():
            assert name in given, f"{where}.{name} is missing"
            check_json(value, given[name], f"{where}.{name}")
    elif isinstance(shown, list):
        assert len(shown) == len(given), where
        for index, value in enumerate(shown):
            check_json(value, given[index], f"{where}.{index}")
    elif isinstance(shown, str) and isinstance(given, str):
        check_text(shown, given, where)
    else:
        assert shown == given, f"{where}: {shown} is shown, {given} was answered"


def check_text(shown: str, given: str, where: str) -> None:
    """Compare texts, of which the document may leave parts open."""
    pattern = ".*".join(map(re.escape, shown.split(ANYTHING)))
    assert re.fullmatch(pattern, given, re.DOTALL), f"{where}: {shown!r} is shown, {given!r} was answered"


if __name__ == "__main__":
    sys.stdout.write(blocks(sys.argv[1])[0][1])
