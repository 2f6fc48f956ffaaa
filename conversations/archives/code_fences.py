"""Code blocks in Markdown. Pure."""

from __future__ import annotations

import re

TICKS = re.compile("`{3,}")
LANGUAGE = re.compile(r"[\w+#.-]{1,40}")
"""The name of a language; files of other platforms may have anything in its place."""


def fenced(text: str, language: str = "") -> str:
    """Return a text as a code block, with a fence that is longer than any in the text."""
    fence = "`" * max([3, *(len(ticks) + 1 for ticks in TICKS.findall(text))])
    return f"{fence}{language if LANGUAGE.fullmatch(language) else ''}\n{text}\n{fence}"
