"""`manage.py chat` in a real terminal: history, pasted text, stopping an answer, Markdown and cost."""

from __future__ import annotations

import os
import re
import select
import termios
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pexpect
import pytest
from pexpect.fdpexpect import fdspawn

from config.chat.screen import finished
from conversations.models import Message, Turn
from tests.clients import Api
from tests.commands import manage
from tests.forked import Forked
from tests.processes import ROOT
from tests.refusing import refusing

PATIENCE = 60  # seconds: other work may keep the machine busy
COST = r"\$0\.\d{6}, [\d,]+ tokens in, \d+ out"
PASTE = "\x1b[200~{}\x1b[201~"
UP, ENTER, CTRL_C, CTRL_D, ALT_ENTER = "\x1b[A", "\r", "\x03", "\x04", "\x1b\r"

Chat = fdspawn


@pytest.fixture
def environment(tmp_path: Path, database: str) -> dict[str, str]:
    """Provide environment variables with a data folder of their own."""
    return {**os.environ, "COLLOQUY_DATA_DIR": str(tmp_path), "DATABASE_URL": database, "TERM": "xterm"}


def command(api: Api) -> list[str]:
    return ["chat", "--url", api.url, "--token", api.token]


@pytest.fixture
def start(api: Api, environment: dict[str, str]) -> Iterator[Callable[..., Chat]]:
    """Provide a function that starts a chat, which is ended after the test."""
    with ExitStack() as begun:
        yield lambda *options: begun.enter_context(chatting([*command(api), *options], environment))


@contextmanager
def chatting(arguments: list[str], environment: dict[str, str]) -> Iterator[Chat]:
    """Run a command in a terminal of its own until the end of the block."""
    ours, theirs = os.openpty()
    termios.tcsetwinsize(ours, (40, 120))
    chat = fdspawn(ours, encoding="utf-8", timeout=PATIENCE)
    process = Forked(["manage.py", *arguments], str(ROOT), environment, terminal=os.ttyname(theirs))
    try:
        select.select([ours], [], [], PATIENCE)  # a terminal that nobody has open would be at its end
        os.close(theirs)
        yield chat
    finally:
        process.kill()
        process.wait()
        chat.close()


def prompted(chat: Chat) -> None:
    """Wait until the chat prompts for a message."""
    chat.expect_exact("\x1b[?2004h")  # it takes pasted text,
    chat.expect_exact("\x1b[?25h")  # and the cursor is there


def questions(api: Api) -> list[str]:
    """Return the user's questions, in order."""
    asked = Message.objects.filter(conversation__owner=api.user, role="user").order_by("pk")
    return [message.content[0]["text"] for message in asked]


def answered(chat: Chat, text: str) -> None:
    """Wait until an answer with this text is there, followed by its cost."""
    chat.expect(text)
    chat.expect(COST)


def test_it_answers_says_what_it_cost_and_goes_on_in_one_conversation(start: Any, api: Api) -> None:
    chat = start()
    chat.expect("Ctrl-D leaves")
    prompted(chat)
    chat.send("Good day" + ENTER)
    answered(chat, "You said: Good day")
    prompted(chat)
    chat.send("And you?" + ENTER)
    answered(chat, "3 messages")
    prompted(chat)
    chat.send(CTRL_D)
    chat.expect("To go on: manage.py chat --conversation ")
    chat.expect(pexpect.EOF)
    assert questions(api) == ["Good day", "And you?"]
    assert Message.objects.filter(conversation__owner=api.user).values("conversation").distinct().count() == 1


def test_three_pasted_lines_are_one_turn(start: Any, api: Api) -> None:
    chat = start()
    for pasted in (PASTE.format("One\r\nTwo\r\nThree"), "One\rTwo\rThree", "One\nTwo\nThree"):
        prompted(chat)
        chat.send(pasted)
        chat.expect("Three")
        chat.send(ENTER)
        answered(chat, "You said: One")
    assert questions(api) == ["One\nTwo\nThree"] * 3


def test_a_line_can_be_edited_and_begun_anew_and_comes_back_from_history(start: Any, api: Api) -> None:
    chat = start()
    prompted(chat)
    chat.send("Goodx\x7f evening" + ALT_ENTER)
    chat.send("all" + ENTER)
    answered(chat, "You said: Good evening")
    prompted(chat)
    chat.send(CTRL_D)
    chat.expect(pexpect.EOF)
    again = start()
    prompted(again)
    again.send(UP)
    again.expect("evening")
    again.send(ENTER)
    answered(again, "You said: Good evening")
    assert questions(api) == ["Good evening\nall"] * 2


def test_ctrl_c_stops_the_answer_and_the_conversation_goes_on(start: Any, api: Api) -> None:
    chat = start()
    prompted(chat)
    chat.send("Count [[sandbox: words=5000; pace=0.05]]" + ENTER)
    chat.expect("word3 ")
    chat.send(CTRL_C)
    chat.expect("stopped, " + COST)
    [turn] = Turn.objects.filter(user=api.user)
    assert turn.status == Turn.Status.CANCELLED
    kept = turn.messages.get().content[0]["text"]
    assert kept.startswith("word1 word2 word3")
    assert "word5000" not in kept
    prompted(chat)
    chat.send("Half a line" + CTRL_C)
    prompted(chat)
    chat.send("Go on" + ENTER)
    answered(chat, "You said: Go on")
    assert [turn.status for turn in Turn.objects.filter(user=api.user).order_by("pk")] == ["cancelled", "completed"]


def test_a_stop_that_fails_is_told_and_the_answer_goes_on(start: Any, api: Api) -> None:
    stops_of_mine = f"NEW.cancel_requested_at IS NOT NULL AND NEW.user_id = '{api.user.pk}'"
    with refusing("conversations_turn", stops_of_mine, state="53100"):
        chat = start()
        prompted(chat)
        chat.send("Count [[sandbox: words=5000; pace=0.05]]" + ENTER)
        chat.expect("word3 ")
        chat.send(CTRL_C)
        chat.expect("could not be stopped, and continues")
        chat.send(CTRL_C)
        chat.expect("The server has not stopped yet")
        assert "Traceback" not in chat.before
    [turn] = Turn.objects.filter(user=api.user)
    api.post(f"turns/{turn.pk}/cancel/")


def test_a_failure_is_told_and_the_conversation_goes_on(start: Any, api: Api) -> None:
    chat = start()
    prompted(chat)
    chat.send("Hello [[sandbox: error=529; no_retry]]" + ENTER)
    chat.expect("The sandbox was told to fail: 529")
    prompted(chat)
    chat.send("Hello again" + ENTER)
    answered(chat, "Hello again")


def test_markdown_is_rendered_and_no_answer_controls_the_terminal(start: Any) -> None:
    chat = start()
    prompted(chat)
    said = r"# Tea\n\nIt is **green** \u001b]0;mine\u0007.\n\n- one\n- two\n"
    chat.send(f'Say [[sandbox: text="{said}"]]' + ENTER)
    chat.expect(COST)
    shown = chat.before.partition("\x1b[?2004l")[2]  # after what was typed
    assert "\x1b]0;mine" not in shown
    plain = re.sub(r"\x1b\[[^a-zA-Z]*[a-zA-Z]", "", shown)
    assert "It is green" in plain
    assert "• one" in plain


def test_a_single_message_is_plain_text_for_other_programs(api: Api, database: str, tmp_path: Path) -> None:
    done = manage(tmp_path, *command(api), 'Say [[sandbox: text="**a** b"]]', DATABASE_URL=database)
    assert done.returncode == 0
    assert done.stdout == "**a** b\n"
    assert re.search(COST, done.stderr)


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("One", ""),
        ("One\n\nTwo", "One\n\n"),
        ("One\n\nTwo\n\nThree", "One\n\nTwo\n\n"),
        ("```\na\n\nb\n", ""),
        ("- a\n- b\n\nText", "- a\n- b\n\n"),
        ("Text\n\n| a |\n|---|\n| b |\n", "Text\n\n"),
    ],
)
def test_only_the_last_block_of_an_answer_is_still_being_written(text: str, whole: str) -> None:
    assert finished(text) == (whole, text.removeprefix(whole))
