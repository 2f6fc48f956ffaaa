"""The sandbox's Message Batches, through the real SDK: limits, all results of an item, and lost responses."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import anthropic
import pytest

from conversations.claude import batches
from conversations.claude.batches import BatchState, ItemResult
from conversations.claude.client import client, close_client
from conversations.errors import ClaudeError
from tests.sandbox.test_strictness import body


@pytest.fixture(autouse=True)
async def _closed_client() -> AsyncIterator[None]:
    yield
    await close_client()


def asking(text: str, **fields: Any) -> Any:
    return body(messages=[{"role": "user", "content": f"{text} {uuid.uuid4()}"}], **fields)


async def results_of(*requests: tuple[str, Any]) -> dict[str, ItemResult]:
    created = await batches.create(requests)
    assert not created.ended
    assert (await batches.retrieve(created.id)).ended
    return {result.custom_id: result async for result in batches.results(created.id)}


async def test_every_fate_of_an_item_is_told_by_its_custom_id() -> None:
    found = await results_of(
        ("good", asking('[[sandbox: text="Yes."]]')),
        ("bad", asking("Hello", temperature=1)),
        ("down", asking("[[sandbox: error=overloaded_error]]")),
        ("late", asking("[[sandbox: expire]]")),
    )
    assert {id: result.type for id, result in found.items()} == {
        "good": "succeeded",
        "bad": "errored",
        "down": "errored",
        "late": "expired",
    }
    good = found["good"].answer
    assert good is not None
    assert (good.content[0]["text"], good.usage["service_tier"]) == ("Yes.", "batch")
    bad, down = found["bad"].error, found["down"].error
    assert bad is not None
    assert down is not None
    assert (bad["type"], down["type"]) == ("invalid_request_error", "overloaded_error")
    assert "temperature" in bad["message"]


async def test_a_batch_that_is_cancelled_ends_with_its_items_cancelled() -> None:
    created = await batches.create([("a", asking("[[sandbox: delay=60]]"))])
    assert not (await batches.retrieve(created.id)).ended
    await batches.cancel(created.id)
    assert (await batches.retrieve(created.id)).ended
    assert [result.type async for result in batches.results(created.id)] == ["canceled"]


async def test_a_batch_whose_answer_was_lost_is_found_in_the_list() -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)
    with pytest.raises(ClaudeError) as lost:
        await batches.create([("a", asking("[[sandbox: cut_after=0]]")), ("b", asking("Hello"))])
    assert lost.value.upstream_status is None
    found: list[BatchState] = await batches.since(before)
    assert found[0].requests == 2


@pytest.mark.parametrize("ids", [["a", "a"], ["with space"], [""], []])
async def test_what_the_api_refuses_is_refused(ids: list[str]) -> None:
    with pytest.raises(ClaudeError) as refused:
        await batches.create((id, asking("Hello")) for id in ids)
    assert refused.value.upstream_status == 400


async def test_results_are_there_when_the_batch_has_ended_and_until_it_is_deleted() -> None:
    created = await batches.create([("a", asking("[[sandbox: delay=60]]"))])
    with pytest.raises(anthropic.AnthropicError):
        await (await client()).messages.batches.results(created.id)
    await batches.cancel(created.id)
    await batches.retrieve(created.id)
    await (await client()).messages.batches.delete(created.id)
    with pytest.raises(ClaudeError) as gone:
        await batches.retrieve(created.id)
    assert gone.value.upstream_status == 404
