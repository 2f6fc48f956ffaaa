"""Deleting a batch deletes Anthropic's copy of it."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest

from conversations.claude import batches
from conversations.claude.client import close_client
from conversations.database import in_database
from conversations.errors import ClaudeError
from conversations.models import Deletion, Usage
from conversations.services.deletion import account_deletion
from extraction import tasks
from extraction.models import Batch, Extraction, Item, MessageBatch, SchemaVersion, UnwantedBatch
from tests.clients import Api


@pytest.fixture(autouse=True)
async def _closed_client() -> AsyncIterator[None]:
    yield
    await close_client()


def sent(api: Api, upstream_id: str) -> None:
    """Create a batch whose only request has been sent to Anthropic."""
    schema = SchemaVersion.objects.create(owner=api.user, json_schema={}, digest=uuid.uuid4().hex)
    batch = Batch.objects.create(
        owner=api.user, schema=schema, model=MODEL, mode="batch", status="running", concurrency=1
    )
    content = [{"type": "text", "text": "Jane"}]
    extraction = Extraction.objects.create(owner=api.user, schema=schema, model=MODEL, content=content, mode="batch")
    item = Item.objects.create(batch=batch, number=0, key="a", content=content, status="running", extraction=extraction)
    answer = extraction.attempts.create(number=1).answers.create(number=1, native=False)
    message_batch = MessageBatch.objects.create(batch=batch, status=MessageBatch.SENT, upstream_id=upstream_id)
    message_batch.requests.create(item=item, answer=answer)


MODEL = "claude-haiku-4-5"


async def test_it_is_booked_here_and_deleted_there(api: Api) -> None:
    request: Any = {"model": MODEL, "max_tokens": 9, "messages": [{"role": "user", "content": "Jane"}]}
    id = (await batches.create([("a", request)])).id
    await in_database(sent, api, id)
    await in_database(account_deletion.delete_account, user=api.user, cause=Deletion.Cause.OWNER)
    [row] = await in_database(lambda: list(Usage.objects.filter(user_id=api.user.pk)))
    assert (row.purpose, row.source) == ("extraction", "estimate")
    for _ in range(2):  # the first time it may not have ended there
        await tasks.delete_unwanted_batches(timestamp=0)
    with pytest.raises(ClaudeError, match="There is no"):
        await batches.retrieve(id)
    assert not await in_database(UnwantedBatch.objects.filter(pk=id).exists)
