"""Exchanging a batch's requests and results with Anthropic's Message Batches.

One job at a time does this for a batch, again and again until the batch has ended. Whatever it was at when it was lost,
the next one finds in the rows: requests that were gathered and not sent are gathered anew, and a Message Batch that may
have been sent is looked for at Anthropic before anything is sent again.
"""

from __future__ import annotations

import uuid

from django.db import transaction

from conversations.database import in_database
from extraction.batches.collecting import look_after
from extraction.batches.sending import send_more
from extraction.models import Batch, MessageBatch
from extraction.services import batch_items


async def exchange(batch: uuid.UUID, holder: uuid.UUID) -> bool:
    """Do what is possible now for a batch: collect results, take next steps, send requests.

    Return whether there will be more to do. Raises ClaudeError where Anthropic can't be asked.
    """
    for message_batch in await in_database(_unended, batch):
        await look_after(message_batch, holder)
    while await send_more(batch, holder):
        pass
    return await in_database(_goes_on, batch)


def _unended(batch: uuid.UUID) -> list[MessageBatch]:
    rows = MessageBatch.objects.filter(batch=batch).exclude(status__in=MessageBatch.TERMINAL)
    return list(rows.select_related("batch").order_by("pk"))


def _goes_on(id: uuid.UUID) -> bool:
    """Record the end of a finished batch; return whether more work is to come, paused or not."""
    with transaction.atomic():
        batch = Batch.objects.select_for_update(no_key=True).get(pk=id)
        done = batch_items.end_if_done(batch)
    return not done and (batch.status != Batch.Status.PAUSED or bool(_unended(id)))
