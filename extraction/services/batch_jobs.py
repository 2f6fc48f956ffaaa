"""The jobs of batches, queued in the transaction that creates the work. Their code is in extraction/tasks.py."""

from __future__ import annotations

import uuid

from django.db import transaction
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.types import JSONDict

from extraction.job_names import EXCHANGE, WORK_ON_ITEM


def queue_items(batch: uuid.UUID, count: int) -> None:
    """Queue a number of jobs that each run the batch's next item. A job without an item ends.

    A batch has as many of them as it may have running items: each item that ends queues the next job.
    """
    arguments: list[JSONDict] = [{"batch": str(batch)} for _ in range(count)]
    if arguments:
        app.configure_task(WORK_ON_ITEM).batch_defer(*arguments)


def queued_items(batch: uuid.UUID) -> int:
    """Return the number of a batch's jobs that wait for a worker."""
    return ProcrastinateJob.objects.filter(task_name=WORK_ON_ITEM, status="todo", args__batch=str(batch)).count()


def forget(batch: uuid.UUID) -> int:
    """Delete the jobs of a deleted batch, except running ones, which end without finding anything.

    Return the number of deleted jobs.
    """
    jobs = ProcrastinateJob.objects.filter(args__batch=str(batch)).exclude(status="doing")
    _, deleted = jobs.delete()
    return deleted.get(ProcrastinateJob._meta.label, 0)


def queue_exchange(batch: uuid.UUID, seconds: float = 0) -> None:
    """Queue the job that exchanges a batch's requests and results with Anthropic, unless it is queued already."""
    name = f"{EXCHANGE} {batch}"  # also a lock: two at once would send the same requests
    schedule = {"schedule_in": {"seconds": seconds}} if seconds else {}
    try:
        with transaction.atomic():
            app.configure_task(EXCHANGE, lock=name, queueing_lock=name, **schedule).defer(batch=str(batch))  # type: ignore[arg-type]
    except AlreadyEnqueued:
        pass
