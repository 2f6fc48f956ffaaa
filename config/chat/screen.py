"""The output of answers: Markdown on a terminal, plain text anywhere else."""

from __future__ import annotations

import re
import sys
from decimal import Decimal
from typing import Protocol

from markdown_it import MarkdownIt
from rich.console import Console
from rich.live import Live
from rich.markdown import Markdown

from config.server_access import Answer

REFRESHES = 10  # per second, while an answer is written
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Control characters, which a terminal would execute instead of showing them."""

_blocks = MarkdownIt("commonmark").enable("table")


class Screen(Protocol):
    """The interface of the output of answers."""

    def begin(self) -> None:
        """Prepare for an answer."""

    def text(self, delta: str) -> None:
        """Show more of the answer's text."""

    def end(self) -> None:
        """Finish the answer: show the rest of its text."""

    def note(self, text: str, *, error: bool = False) -> None:
        """Show a line about the answer: its cost, or an error."""


class PlainScreen:
    """Text on standard output as it comes, and notes on standard error."""

    def begin(self) -> None:
        """Do nothing: the text begins where the output is."""

    def text(self, delta: str) -> None:
        """Write more of the text."""
        sys.stdout.write(delta)
        sys.stdout.flush()

    def end(self) -> None:
        """End the last line."""
        self.text("\n")

    def note(self, text: str, *, error: bool = False) -> None:
        """Write a line to standard error."""
        sys.stderr.write(f"{text}\n")


class TerminalScreen:
    """Markdown, block by block: a complete block is printed for good, the last one is redrawn while it grows."""

    def __init__(self) -> None:
        self._console = Console()
        self._live: Live | None = None
        self._unfinished = ""

    def begin(self) -> None:
        """Begin to redraw the answer's last block, several times a second."""
        self._unfinished = ""
        self._live = Live(
            console=self._console, refresh_per_second=REFRESHES, transient=True, vertical_overflow="ellipsis"
        )
        self._live.start()

    def text(self, delta: str) -> None:
        """Add to the last block, and print those before it."""
        assert self._live is not None
        whole, self._unfinished = finished(self._unfinished + CONTROL.sub("", delta))
        if whole.strip():
            self._console.print(Markdown(whole), end="\n")
            self._console.print()
        self._live.update(Markdown(self._unfinished))

    def end(self) -> None:
        """Print the last block."""
        assert self._live is not None
        self._live.update("")
        self._live.stop()
        self._live = None
        if self._unfinished.strip():
            self._console.print(Markdown(self._unfinished))

    def note(self, text: str, *, error: bool = False) -> None:
        """Print a line in grey, or in red."""
        self._console.print(CONTROL.sub("", text), style="red" if error else "dim", markup=False, highlight=False)


def finished(text: str) -> tuple[str, str]:
    """Return the complete blocks of a Markdown text, and the last block, which may still change."""
    starts = [token.map[0] for token in _blocks.parse(text) if token.map and token.level == 0 and token.nesting >= 0]
    if len(starts) < 2:
        return "", text
    lines = text.splitlines(keepends=True)
    return "".join(lines[: starts[-1]]), "".join(lines[starts[-1] :])


def bill(end: Answer) -> str:
    """Return how a turn ended and what it cost, according to its last event, as text."""
    usage = end.get("usage") or {}
    cost = "cost unknown" if end.get("cost") is None else f"${Decimal(end['cost']):.6f}"
    tokens = f"{_input(usage):,} tokens in, {usage.get('output_tokens') or 0:,} out"
    ended = {"completed": "", "cancelled": "stopped, "}.get(end["status"], f"{end['status']}, ")
    return f"{ended}{cost}, {tokens}"


def _input(usage: Answer) -> int:
    names = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
    return sum(usage.get(name) or 0 for name in names)
