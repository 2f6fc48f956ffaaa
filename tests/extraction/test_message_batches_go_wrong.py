"""Message Batches with dying workers, lost responses and failing items: each item is done once and paid once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from conversations.errors import ClaudeError
from conversations.models import Budget, Deletion, Hold, Usage
from conversations.sandbox.server import Sandbox
from conversations.services.deletion import account_deletion
from extraction.models import Batch, BatchedRequest, Item, MessageBatch, UnwantedBatch
from extraction.services import message_batches
from tests import batches
from tests.batches import contact
from tests.clients import Api
from tests.extraction.message_batches import Exchanger, Proxy, Reply, proxy
from tests.waiting import until

Made = dict[str, Any]


@pytest.fixture(scope="module")
def running_proxy(sandbox: Sandbox) -> Iterator[Proxy]:
    with proxy(sandbox.url) as running:
        yield running


@pytest.fixture(scope="module")
def workers(database: str) -> Iterator[Exchanger]:
    exchanger = Exchanger()
    yield exchanger
    exchanger.close()


@pytest.fixture
def anthropic(running_proxy: Proxy, settings: Any) -> Proxy:
    settings.ANTHROPIC_BASE_URL, settings.ANTHROPIC_MAX_RETRIES = running_proxy.url, 0
    running_proxy.spoil, running_proxy.refusal, running_proxy.created = {}, None, []
    return running_proxy


def made(api: Api, *directives: str) -> Made:
    """Create a batch of items with these sandbox directives, which no worker has seen."""
    told = [f"[[sandbox: {each}]]" if each else "" for each in directives]
    return batches.create(api, [contact(number, each) for number, each in enumerate(told)], mode="batch")


def check_paid_once(api: Api, batch: Made, succeeded: int) -> None:
    """Check that this number of items succeeded, each with one ledger row, and that no hold is left."""
    counts = batches.shown(api, batch["id"])["counts"]
    assert counts["succeeded"] == succeeded, counts
    booked = Usage.objects.filter(user=api.user)
    of = booked.values_list("answer__attempt__extraction__item__key", flat=True)
    assert len(of) == len(set(of)) == succeeded
    assert all(row.batch for row in booked)
    assert not Hold.objects.filter(budget__user=api.user).exists()


def errors_of(api: Api, batch: Made) -> dict[str, str]:
    """Return the error types of a batch's failed items, by key."""
    return {key: item["error"]["type"] for key, item in batches.items(api, batch["id"], status="failed").items()}


def without_answer(reply: Reply) -> None:
    return None


def test_a_worker_dies_before_it_has_noted_that_a_batch_was_taken(
    api: Api, anthropic: Proxy, workers: Exchanger
) -> None:
    Budget.objects.create(user=api.user, limit=100)
    batch = made(api, "", "", "")
    anthropic.spoil["create"] = workers.die
    with pytest.raises(asyncio.CancelledError):
        workers.once(batch)
    assert not MessageBatch.objects.filter(batch=batch["id"]).exclude(upstream_id=None).exists()
    workers.until_ended(batch)
    assert len(anthropic.created) == 1
    check_paid_once(api, batch, 3)


@pytest.mark.parametrize("lost", [without_answer, lambda reply: Reply(504, b"<h1>Gateway time-out</h1>")])
def test_a_batch_that_was_taken_is_not_sent_again_where_the_answer_got_lost(
    api: Api, anthropic: Proxy, workers: Exchanger, lost: Any
) -> None:
    batch = made(api, "", "")
    anthropic.spoil["create"] = lost
    workers.until_ended(batch)
    assert len(anthropic.created) == 1
    check_paid_once(api, batch, 2)


def test_a_worker_dies_between_results_and_their_booking(api: Api, anthropic: Proxy, workers: Exchanger) -> None:
    Budget.objects.create(user=api.user, limit=100)
    batch = made(api, "", "", "")
    assert workers.once(batch)
    anthropic.spoil["results"] = workers.die
    with pytest.raises(asyncio.CancelledError):
        workers.once(batch)
    anthropic.spoil["results"] = lambda reply: Reply(200, reply.body.splitlines(keepends=True)[0])
    with pytest.raises(ClaudeError, match="lack 2 requests"):
        workers.once(batch)
    assert Usage.objects.filter(user=api.user).count() == 1
    del anthropic.spoil["results"]
    workers.until_ended(batch)
    assert len(anthropic.created) == 1
    check_paid_once(api, batch, 3)


def test_results_that_cannot_be_read_cost_their_items_and_no_others(
    api: Api, anthropic: Proxy, workers: Exchanger
) -> None:
    batch = made(api, "", "", "")
    assert workers.once(batch)
    spoilt = anthropic.created[0][0]

    def with_nonsense(reply: Reply) -> Reply:
        rows = [json.loads(line) for line in reply.body.splitlines()]
        for row in rows:
            if row["custom_id"] == spoilt:
                row["result"]["message"]["content"] = "no list"
        lines = [b"{nothing", b"[]", b'{"custom_id": 7}', *(json.dumps(row).encode() for row in rows)]
        return Reply(200, b"\n".join(lines))

    anthropic.spoil["results"] = with_nonsense
    for _ in range(message_batches.RESENT):
        workers.once(batch)
    del anthropic.spoil["results"]
    workers.until_ended(batch)
    assert len(anthropic.created) == 2
    check_paid_once(api, batch, 3)


def test_what_got_no_answer_is_sent_again_a_few_times_and_then_told_by_item(
    api: Api, anthropic: Proxy, workers: Exchanger
) -> None:
    Budget.objects.create(user=api.user, limit=100)
    told = ("", "expire; times=1", "error=overloaded_error; times=2", "expire", "error=api_error", "error=400")
    batch = made(api, *told)
    workers.until_ended(batch)
    check_paid_once(api, batch, 3)
    assert errors_of(api, batch) == {
        "item-3": "timeout_error",
        "item-4": "api_error",
        "item-5": "invalid_request_error",
    }
    sent = [len(each) for each in anthropic.created]
    assert sent == [6, 4, 3, 2]
    assert Item.objects.get(batch=batch["id"], key="item-5").sent == 0


def test_a_batch_that_is_cancelled_at_anthropic_is_sent_again(api: Api, anthropic: Proxy, workers: Exchanger) -> None:
    batch = made(api, "", "")
    assert workers.once(batch)

    def cancelled(reply: Reply) -> Reply:
        rows = [json.loads(line) for line in reply.body.splitlines()]
        return Reply(200, b"\n".join(json.dumps({**row, "result": {"type": "canceled"}}).encode() for row in rows))

    anthropic.spoil["results"] = cancelled
    workers.once(batch)
    del anthropic.spoil["results"]
    workers.until_ended(batch)
    assert len(anthropic.created) == 2
    check_paid_once(api, batch, 2)


def test_a_batch_that_anthropic_does_not_know_any_more_fails_its_items_and_a_retry_does_them(
    api: Api, anthropic: Proxy, workers: Exchanger
) -> None:
    batch = made(api, "", "")
    assert workers.once(batch)
    gone = {"type": "error", "error": {"type": "not_found_error", "message": "There is no such batch"}}
    anthropic.spoil["retrieve"] = lambda reply: Reply(404, json.dumps(gone).encode())
    workers.until_ended(batch)
    assert errors_of(api, batch) == {"item-0": "api_error", "item-1": "api_error"}
    assert len(anthropic.created) == 1
    anthropic.spoil = {}
    assert api.post(f"extraction/batches/{batch['id']}/retry/").json()["counts"]["queued"] == 2
    workers.until_ended(batch)
    check_paid_once(api, batch, 2)


@pytest.mark.parametrize(("status", "taken"), [(429, True), (400, False)])
def test_a_batch_that_is_refused_as_a_whole(
    api: Api, anthropic: Proxy, workers: Exchanger, status: int, taken: bool
) -> None:
    batch = made(api, "", "")
    kind = "rate_limit_error" if taken else "invalid_request_error"
    refusal = json.dumps({"type": "error", "error": {"type": kind, "message": "No."}}).encode()
    anthropic.refusal = Reply(status, refusal)
    assert workers.once(batch) == taken  # once, without an immediate retry
    anthropic.refusal = None
    workers.until_ended(batch)
    check_paid_once(api, batch, 2 if taken else 0)
    assert errors_of(api, batch) == ({} if taken else dict.fromkeys(("item-0", "item-1"), "invalid_request_error"))


def test_a_message_batch_that_was_given_back_is_not_sent_by_a_worker_that_slept(
    api: Api, anthropic: Proxy, workers: Exchanger
) -> None:
    batch = made(api, "")
    assert workers.once(batch)
    [sent] = MessageBatch.objects.filter(batch=batch["id"])
    slept = message_batches.gather(batch=sent.batch_id, holder=sent.pk)
    assert message_batches.sending(slept)
    message_batches.give_back(message_batch=slept)
    assert not message_batches.sending(slept)
    assert not message_batches.sent(slept, "msgbatch_nobody_waits_for")
    message_batches.give_back(message_batch=sent, status=MessageBatch.ENDED)
    again = Item.objects.get(batch=batch["id"])
    again.status = Item.Status.RUNNING
    again.save()
    message_batches.give_back(message_batch=sent, status=MessageBatch.ENDED)  # by another worker, later
    assert Item.objects.get(pk=again.pk).status == Item.Status.RUNNING


def test_budgets_hold_the_price_of_a_batch_and_those_over_it_fail(
    api: Api, anthropic: Proxy, workers: Exchanger
) -> None:
    budget = Budget.objects.create(user=api.user, limit=100)
    slow = contact(0, "[[sandbox: pace=3]]")["content"]
    asked = {"schema": batches.NAME_AND_EMAIL, "content": slow, "evidence": False}
    live = api.post("extraction/extractions/", asked).json()["id"]
    full = until(lambda: Hold.objects.filter(budget=budget).values_list("amount", flat=True).first())
    assert full is not None
    api.post(f"extraction/extractions/{live}/cancel/")
    until(lambda: not Hold.objects.filter(budget=budget).exists())
    before = Usage.objects.filter(user=api.user).count()
    first = made(api, "pace=3")
    workers.once(first)
    hold = Hold.objects.get(budget=budget).amount
    assert hold * 2 == full
    workers.until_ended(first)
    spent = Usage.objects.get(user=api.user, batch=True).cost or Decimal(0)
    budget.refresh_from_db()
    budget.limit = budget.spent + spent * 5 + hold - spent / 2
    budget.save(update_fields=["limit"])
    batch = made(api, *[""] * 8)
    workers.until_ended(batch, most=50)
    assert Usage.objects.filter(user=api.user).count() == before + 6
    assert set(errors_of(api, batch).values()) == {"budget_exceeded"}
    budget.limit = Decimal(100)
    budget.save(update_fields=["limit"])
    assert api.post(f"extraction/batches/{batch['id']}/retry/").json()["counts"]["queued"] == 3
    workers.until_ended(batch)
    assert Usage.objects.filter(user=api.user).count() == before + 9
    assert not BatchedRequest.objects.filter(message_batch__batch=batch["id"], answer__usage=None).exists()


def test_a_paused_batch_takes_its_results_and_sends_nothing_until_it_is_resumed(
    api: Api, anthropic: Proxy, workers: Exchanger
) -> None:
    wrong = 'json="{}"'
    batch = made(api, f"{wrong}; times=1", "")
    assert workers.once(batch)
    path = f"extraction/batches/{batch['id']}"
    assert api.post(f"{path}/pause/").status_code == 202
    workers.once(batch)
    assert not workers.once(batch)
    assert len(anthropic.created) == 1
    assert Usage.objects.filter(user=api.user).count() == 2
    assert api.post(f"{path}/resume/").status_code == 202
    workers.until_ended(batch)
    assert batches.shown(api, batch["id"])["status"] == "ended"


@pytest.mark.parametrize("answered", ["create", "results"])
def test_a_batch_whose_account_is_deleted_meanwhile_ends_quietly_here_and_at_anthropic(
    api: Api, anthropic: Proxy, workers: Exchanger, caplog: pytest.LogCaptureFixture, answered: str
) -> None:
    batch, before = made(api, "", ""), unwanted()

    def after_the_account_is_deleted(reply: Reply) -> Reply:
        account_deletion.delete_account(user=api.user, cause=Deletion.Cause.OWNER)
        connection.close()  # this thread's own
        return reply

    anthropic.spoil[answered] = after_the_account_is_deleted
    workers.until_ended(batch)
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
    assert not Batch.objects.filter(pk=batch["id"]).exists()
    assert Usage.objects.filter(user_id=api.user.pk).count() == 2
    assert len(unwanted() - before) == 1


def unwanted() -> set[str]:
    """Return the ids of the Message Batches that are to be deleted at Anthropic."""
    return set(UnwantedBatch.objects.values_list("pk", flat=True))
