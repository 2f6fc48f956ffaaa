"""The user's input: lines with history and editing, and pasted text as one message."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.history import FileHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

MARK = "> "
HELP = "Enter sends, Alt-Enter begins a new line, Ctrl-C stops an answer, Ctrl-D leaves."


def messages(history: Path) -> Iterator[str]:
    """Yield the typed messages until the end of input, with a history in a file.

    If standard input is not a terminal, each of its lines is a message.
    """
    typed = _typed(history) if sys.stdin.isatty() else sys.stdin
    yield from filter(None, map(str.strip, typed))


def _typed(history: Path) -> Iterator[str]:
    history.touch(0o600)
    os.environ.setdefault("PROMPT_TOOLKIT_NO_CPR", "1")  # not needed, and terminals that lack it would get a warning
    session: PromptSession[str] = PromptSession(history=FileHistory(os.fspath(history)), key_bindings=_keys())
    while True:
        try:
            yield session.prompt(MARK)
        except KeyboardInterrupt:  # there is no answer to stop: only the typed text is discarded
            continue
        except EOFError:
            return


def _keys() -> KeyBindings:
    keys = KeyBindings()

    @keys.add("enter")
    def send_or_go_on(event: KeyPressEvent) -> None:
        """Send the message; if more input arrived with this Enter, it is pasted text: insert a line break instead."""
        if event.key_processor.input_queue:
            event.current_buffer.insert_text("\n")
        else:
            event.current_buffer.validate_and_handle()

    @keys.add("escape", "enter")
    def new_line(event: KeyPressEvent) -> None:
        """Begin a new line."""
        event.current_buffer.insert_text("\n")

    return keys
