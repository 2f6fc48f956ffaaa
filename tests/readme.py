"""The documents' commands and examples. `python -m tests.readme tests` prints the README's command of that name."""

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
"""In an answer: whatever is there differs from run to run."""
CUT = '"}\n\ndata: {"token": "'
"""Between two pieces of a text in the plain form of a stream: where it is cut differs from reader to reader."""


@dataclass(frozen=True)
class Example:
    """A block of code that is executed, and the answer that the document shows after it, if it shows one."""

    language: str
    code: str
    shown: str | None = None
    answer: str = ""


def blocks(mark: str, document: Path = README) -> list[tuple[str, str]]:
    """Return the language and code of each block under a mark."""
    return [(language, code) for found, language, code in BLOCK.findall(document.read_text()) if found == mark]


def examples(document: Path) -> list[Example]:
    """Return the blocks of a document that are executed, in their order."""
    found: list[Example] = []
    for mark, language, code in BLOCK.findall(document.read_text()):
        if mark == "executed":
            found.append(Example(language, code))
        elif mark == "answers":
            found[-1] = Example(found[-1].language, found[-1].code, language, code)
    return found


def check(example: Example, output: str) -> None:
    """Compare what an example printed with what the document shows."""
    if example.shown == "json":
        check_json(json.loads(example.answer), json.loads(output), "answer")
    elif example.shown is not None:
        check_text(example.answer.strip().replace(CUT, ""), output.strip().replace(CUT, ""), example.code)


def check_json(shown: Any, given: Any, where: str) -> None:
    """Compare JSON: objects may have more fields than are shown."""
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
    """Compare texts, of which what is shown may leave parts open."""
    pattern = ".*".join(map(re.escape, shown.split(ANYTHING)))
    assert re.fullmatch(pattern, given, re.DOTALL), f"{where}: {shown!r} is shown, {given!r} was answered"


if __name__ == "__main__":
    sys.stdout.write(blocks(sys.argv[1])[0][1])
