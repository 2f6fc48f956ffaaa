"""Exchanging a batch's requests and results with Anthropic's Message Batches.

One job at a time does this for a batch, repeatedly until the batch has ended. After a crash, the next job continues
from the rows: requests that were gathered and not sent are gathered anew, and before sending again it looks at
Anthropic for a Message Batch that may have been sent.
"""

from __future__ import annotations

import logging
import uuid

from django.core.exceptions import ObjectDoesNotExist
from django.db import IntegrityError, transaction

from conversations.database import in_database
from extraction.batches.collecting import look_after
from extraction.batches.sending import send_more
from extraction.models import Batch, MessageBatch
from extraction.services import batch_items

logger = logging.getLogger(__name__)


async def exchange(batch: uuid.UUID, holder: uuid.UUID) -> bool:
    """Do what is possible now for a batch: collect results, take next steps, send requests.

    Return whether more is to be done, which it is not if the batch is deleted meanwhile. Raise ClaudeError if Anthropic
    can't be asked.
    """
    try:
        for message_batch in await in_database(_unended, batch):
            await look_after(message_batch, holder)
        while await send_more(batch, holder):
            pass
        return await in_database(_goes_on, batch)
    except (ObjectDoesNotExist, IntegrityError):
        if await in_database(Batch.objects.filter(pk=batch).exists):
            raise
        logger.info("Batch %s was deleted while its requests were exchanged", batch)
        return False


def _unended(batch: uuid.UUID) -> list[MessageBatch]:
    rows = MessageBatch.objects.filter(batch=batch).exclude(status__in=MessageBatch.TERMINAL)
    return list(rows.select_related("batch").order_by("pk"))


def _goes_on(id: uuid.UUID) -> bool:
    """Record the end of a finished batch; return whether more work is to come, paused or not."""
    with transaction.atomic():
        batch = Batch.objects.select_for_update(no_key=True).get(pk=id)
        done = batch_items.end_if_done(batch)
    return not done and (batch.status != Batch.Status.PAUSED or bool(_unended(id)))
