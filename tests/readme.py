"""The README's commands and examples. `python -m tests.readme tests` prints the command under that mark."""

from __future__ import annotations

import re
import sys
from pathlib import Path

README = Path(__file__).resolve().parent.parent / "README.md"
BLOCK = re.compile(r"<!-- (\w+) -->\n```(\w+)\n(.*?)```", re.DOTALL)


def blocks(mark: str) -> list[tuple[str, str]]:
    """The language and code of each block under a mark."""
    return [(language, code) for found, language, code in BLOCK.findall(README.read_text()) if found == mark]


if __name__ == "__main__":
    sys.stdout.write(blocks(sys.argv[1])[0][1])
