"""Where it is enabled, a conversation without a title gets one from a small model after its first turn."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from conversations.models import Titling, Usage
from conversations.sandbox.server import Sandbox
from tests.clients import Api
from tests.processes import ServerProcess
from tests.waiting import until

SMALL = "claude-haiku-5-5"


@pytest.fixture(scope="module")
def naming(database: str, sandbox: Sandbox) -> Iterator[ServerProcess]:
    with ServerProcess("uvicorn", database, sandbox.url, COLLOQUY_TITLE_MODEL=SMALL) as process:
        yield process


@pytest.fixture
def namer(naming: ServerProcess) -> Iterator[Api]:
    with Api(naming.url) as client:
        yield client


def titled(api: Api, conversation: str) -> str:
    """Wait until the work on a conversation's title has ended; return the title."""
    until(Titling.objects.filter(conversation_id=conversation, finished_at__isnull=False).exists)
    return str(api.get(f"conversations/{conversation}/").json()["title"])


def test_it_is_named_once_and_the_request_is_booked_apart_from_the_turn(namer: Api) -> None:
    conversation = namer.conversation()
    turn = namer.ask('Hello [[sandbox: text="**Greetings.**\\nAnd more"]]', conversation)
    assert titled(namer, conversation) == "Greetings"
    row = Usage.objects.get(conversation_id=conversation, purpose="title")
    assert (row.model, row.source, row.turn_id, row.user_id) == (SMALL, "provider", None, namer.user.pk)
    assert namer.get(f"turns/{turn['id']}/").json()["usage"]["requests"] == 1
    namer.ask('Again [[sandbox: text="Something else"]]', conversation)
    assert Usage.objects.filter(conversation_id=conversation, purpose="title").count() == 1


def test_a_title_of_its_own_is_kept(namer: Api) -> None:
    conversation = namer.conversation(title="Mine")
    namer.ask("Hello", conversation)
    assert not Titling.objects.filter(conversation_id=conversation).exists()


@pytest.mark.parametrize("directive", ["error=overloaded_error; times=9; no_retry", "refusal=bio", 'text="  "'])
def test_without_an_answer_there_is_no_title(namer: Api, sandbox: Sandbox, directive: str) -> None:
    conversation = namer.conversation(model="claude-sonnet-4-6")
    namer.ask("Hello", conversation, stop_sequences=["x"])
    assert titled(namer, conversation).startswith("[sandbox]")
    other = namer.conversation()
    namer.post(f"conversations/{other}/turns/?wait=true", {"content": f"Hello [[sandbox: {directive}]]"})
    if Titling.objects.filter(conversation_id=other).exists():
        assert titled(namer, other) == ""


def test_nothing_is_named_where_it_is_not_wanted(api: Api) -> None:
    conversation = api.conversation()
    api.ask("Hello", conversation)
    assert not Titling.objects.filter(conversation_id=conversation).exists()
    assert api.get(f"conversations/{conversation}/").json()["title"] == ""
