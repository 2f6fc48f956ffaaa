"""The jobs of batches. Each may run twice without harm: its work is in the rows, not in the job.

Every command imports this module, but only workers run the jobs: so the jobs import what they need themselves.
"""

from __future__ import annotations

import logging
import uuid

from django.conf import settings
from procrastinate.contrib.django import app

from extraction.job_names import EXCHANGE, WORK_ON_ITEM

logger = logging.getLogger(__name__)


@app.task(name=WORK_ON_ITEM)
async def work_on_batch_item(batch: str) -> None:
    """Extract the next item of a batch, if it has one and fewer than the limit are running."""
    from conversations.database import in_database, persistently
    from conversations.running.engine import engine
    from extraction.services import batch_items, batch_jobs

    id, here = uuid.UUID(batch), await engine()
    if here.draining:
        await in_database(batch_jobs.queue_items, id, 1)  # for another worker
        return
    extraction = await persistently(batch_items.take_next, batch=id, holder=here.process)
    if extraction is not None:
        await here.runner("extraction").run_to_end(extraction)


@app.task(name=EXCHANGE)
async def exchange_message_batches(batch: str) -> None:
    """Exchange a batch's requests and results with Anthropic, and repeat after a while until it has ended."""
    from conversations.database import in_database
    from conversations.errors import ColloquyError
    from conversations.running.engine import engine
    from extraction.batches.exchange import exchange
    from extraction.services import batch_jobs

    id, here = uuid.UUID(batch), await engine()
    try:
        goes_on = await exchange(id, here.process)
    except ColloquyError as error:
        logger.warning("Batch %s: the request to Anthropic failed, and will be retried: %s", id, error)
        goes_on = True
    if goes_on:
        await in_database(batch_jobs.queue_exchange, id, settings.COLLOQUY_BATCH_POLL)


@app.periodic(cron="* * * * *")
@app.task(name="tend_batches")
async def tend_batches(timestamp: int) -> None:
    """Queue the missing jobs of batches after workers have died."""
    from conversations.database import in_database
    from extraction.services import batches

    await in_database(batches.tend)


@app.periodic(cron="*/5 * * * *")
@app.task(name="delete_unwanted_batches")
async def delete_unwanted_batches(timestamp: int) -> None:
    """Delete at Anthropic the Message Batches that were deleted here, once they have ended."""
    from conversations.claude import batches
    from conversations.database import in_database
    from conversations.errors import ClaudeError
    from extraction.services import message_batches

    for id in await in_database(message_batches.unwanted):
        try:
            if await batches.delete(id):
                await in_database(message_batches.forget_unwanted, id)
        except ClaudeError as error:
            logger.warning("Message Batch %s could not be deleted at Anthropic, and will be retried: %s", id, error)
