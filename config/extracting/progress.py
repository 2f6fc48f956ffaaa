"""The progress of an extraction of files on stderr: files, cost so far, files per minute and remaining time."""

from __future__ import annotations

from decimal import Decimal
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text


class FilesProgress:
    """A progress bar where stderr is a terminal, and a line at the end elsewhere."""

    def __init__(self, files: int) -> None:
        """Take the number of files."""
        self._console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), *_figures())
        self._progress = Progress(*columns, console=self._console, disable=not self._console.is_terminal)
        self._task = self._progress.add_task("Extracting", total=files, cost=Decimal(0), invalid=0)
        self._files = files
        self._done = self._invalid = 0
        self._cost = Decimal(0)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._progress.stop()
        invalid = f", {self._invalid} without valid data" if self._invalid else ""
        self._console.print(f"{self._done} of {self._files} files{invalid}; cost ${self._cost:.6f}", highlight=False)

    def show(self, *, done: int, invalid: int, cost: Decimal) -> None:
        """Show the numbers of finished files and of those without valid data, and the total cost in US dollars."""
        self._done, self._invalid, self._cost = done, invalid, cost
        self._progress.update(self._task, completed=done, cost=cost, invalid=invalid)

    def add(self, *, valid: bool, cost: Decimal) -> None:
        """Show that one more file is finished."""
        self.show(done=self._done + 1, invalid=self._invalid + (not valid), cost=self._cost + cost)


def _figures() -> list[ProgressColumn]:
    return [TextColumn("${task.fields[cost]:.4f}"), _Rate(), TimeRemainingColumn(elapsed_when_finished=True)]


class _Rate(ProgressColumn):
    """A column with the number of files per minute."""

    def render(self, task: Task) -> Text:
        """Return the rate as text."""
        return Text(f"{task.speed * 60:.0f}/min" if task.speed else "-/min")
