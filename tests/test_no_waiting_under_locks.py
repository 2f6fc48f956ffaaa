"""No storage is used, and no ledger is summed up, under a lock that others wait for."""

from __future__ import annotations

import base64
import io
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import Sum
from PIL import Image

from conversations.content.folding import Folded
from conversations.models import Budget, Turn, Usage
from conversations.sandbox.server import Sandbox
from conversations.services.billing import ledger
from conversations.services.files import attachments
from tests import slow_storage
from tests.clients import Api
from tests.processes import ServerProcess
from tests.test_deleted_work import someone_waits
from tests.waiting import until


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Provide the folder with a file for each storage operation that waits until the file is removed."""
    return tmp_path_factory.mktemp("waiting")


@pytest.fixture(scope="module")
def server(database: str, sandbox: Sandbox, waiting: Path) -> Iterator[ServerProcess]:
    """Provide a process with a slow storage."""
    slow = {"DJANGO_SETTINGS_MODULE": "tests.slow_storage_settings", slow_storage.FOLDER: str(waiting)}
    with ServerProcess("uvicorn", database, sandbox.url, **slow) as process:
        yield process


def picture() -> dict[str, Any]:
    """Return an image block with a unique image."""
    buffer = io.BytesIO()
    Image.frombytes("RGB", (4, 4), uuid.uuid4().bytes * 3).save(buffer, "PNG")
    data = base64.b64encode(buffer.getvalue()).decode()
    return {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}}


def asks_with_a_picture(api: Api) -> None:
    conversation = api.conversation()
    assert api.ask([picture(), {"type": "text", "text": "What is it?"}], conversation)["status"] == "completed"
    assert api.ask("And what else?", conversation)["status"] == "completed"


def hands_in_a_picture(api: Api) -> None:
    look = {"name": "look", "input_schema": {"type": "object"}}
    turn = api.ask("Hello [[sandbox: tool=look]]", api.conversation(tools=[look]))
    [call] = [block["id"] for block in turn["messages"][-1]["content"] if block["type"] == "tool_use"]
    result = {"tool_use_id": call, "content": [picture()]}
    assert api.post(f"turns/{turn['id']}/tool-results/", {"results": [result]}).status_code == 202
    assert api.ended(turn["id"])["status"] == "completed"


def extracts_from_a_picture(api: Api) -> None:
    body = {"schema": {"type": "object"}, "content": [picture(), {"type": "text", "text": "What is it?"}]}
    id = api.post("extraction/extractions/", body).json()["id"]
    until(lambda: api.get(f"extraction/extractions/{id}/").json()["status"] not in ("queued", "running"))


def copies_a_picture(api: Api) -> None:
    conversation = api.conversation()
    api.ask([picture(), {"type": "text", "text": "What is it?"}], conversation)
    exported = api.get(f"conversations/{conversation}/export/").json()
    assert api.post("conversations/import/", exported).status_code == 201
    assert api.http.delete(f"/api/conversations/{conversation}/").status_code == 204


USES: list[Callable[[Api], None]] = [
    asks_with_a_picture,
    hands_in_a_picture,
    extracts_from_a_picture,
    copies_a_picture,
]


@pytest.mark.parametrize("use", USES, ids=lambda use: use.__name__)
def test_a_slow_storage_stops_nobody_elses_stream(
    use: Callable[[Api], None], api: Api, other: Api, waiting: Path
) -> None:
    """Whenever the storage is slow, another user's turn begins, streams and ends meanwhile."""
    conversation, times = other.conversation(), 0
    with ThreadPoolExecutor(1) as pool:
        using = pool.submit(use, api)
        while until(lambda: using.done() or any(waiting.iterdir())) and not using.done():
            held = list(waiting.iterdir())
            try:
                assert other.ask("Hello", conversation)["status"] == "completed"
            finally:
                for each in held:
                    each.unlink()
            times += 1
        using.result()
    assert times


def test_a_turn_that_waits_for_its_budget_keeps_no_events_from_being_committed(api: Api, tmp_path: Path) -> None:
    budget = Budget.objects.create(user=api.user, limit=100)
    conversation = api.conversation(tools=[{"type": "platform", "name": "wait_for"}])
    locked = tmp_path / "locked"
    turn = api.begin(f'Go [[sandbox: tool=wait_for{{"path": "{locked}"}}; then; text=Done]]', conversation)
    api.events(turn["id"], limit=4)
    with transaction.atomic():
        Budget.objects.select_for_update().get(pk=budget.pk)
        locked.touch()
        until(someone_waits)
        # Its row is locked for moments of a group commit only: else all users' events would wait for it there.
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '5s'")
        assert Turn.objects.select_for_update().get(pk=turn["id"]).requests_sent == 1
    assert api.ended(turn["id"])["status"] == "completed"


def test_the_storage_can_not_be_waited_for_within_a_transaction(api: Api) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError, match="within a transaction"):
        attachments.store(owner=api.user, data=b"text")


def test_a_budget_is_saved_while_others_book_and_counts_every_row_once(api: Api, other: Api) -> None:
    """Including a booking that began before the budget existed, and ends after that."""
    other.ask("Hello")
    begun, go_on = threading.Event(), threading.Event()

    def book_slowly() -> None:
        answer = Folded("assistant", usage={"input_tokens": 1000, "output_tokens": 1000}, stopped=True)
        try:
            with transaction.atomic():
                ledger.book(
                    ledger.ledger_row(
                        user=other.user, answer=answer, model="claude-sonnet-4-6", upstream=ledger.RequestRecord()
                    )
                )
                begun.set()
                go_on.wait(60)
        finally:
            connection.close()

    def save() -> Budget:
        try:
            return Budget.objects.create(user=other.user, limit=100)
        finally:
            connection.close()

    with ThreadPoolExecutor() as pool:
        booking = pool.submit(book_slowly)
        assert begun.wait(20)
        saving = pool.submit(save)
        until(Budget.objects.filter(user=other.user).exists)
        assert api.ask("Hello")["status"] == "completed"  # it is booked, and so waits for nobody
        assert not saving.done()
        go_on.set()
        booking.result()
        saving.result()
    budget = Budget.objects.get(user=other.user)
    spent: Decimal = Usage.objects.filter(user=other.user).aggregate(cost=Sum("cost"))["cost"]
    assert Usage.objects.filter(user=other.user).count() == 2
    assert budget.spent == spent
