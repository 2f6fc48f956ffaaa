"""The worker's scheduled jobs, and the recovery of jobs of dead workers.

A job is a row; any number of workers on any machines run them. Each job may run twice without harm.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import wraps

from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection
from django.db.models.functions import Now
from knox.models import AuthToken
from procrastinate import JobContext
from procrastinate.contrib.django import app
from procrastinate.exceptions import UniqueViolation
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager

from conversations.models import Ticket
from conversations.services import imports
from conversations.services.accounts import login_failures
from conversations.services.billing import ledger_audit
from conversations.services.deletion import account_deletion, retention
from conversations.services.files import attachment_removal

logger = logging.getLogger(__name__)

ATTEMPTS = 3
"""How often a job is begun whose worker dies during it."""
STALLED = 30.0  # seconds without a heartbeat of its worker after which another worker takes a job
FINISHED = 30 * 24  # hours for which jobs that have ended are kept
UNUSED = timedelta(days=7)


def regularly(cron: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Schedule a function at certain times (UTC), once for all workers."""

    def register(function: Callable[[], None]) -> Callable[[], None]:
        @wraps(function)
        def job(timestamp: int) -> None:
            try:
                function()
            finally:
                connection.close()

        name = function.__name__
        app.periodic(cron=cron, periodic_id=name)(app.task(name=name, queueing_lock=name)(job))
        return function

    return register


@app.periodic(cron="* * * * *")
@app.task(name="recover", pass_context=True)
async def recover(context: JobContext, timestamp: int) -> None:
    """Queue the jobs of dead workers again, or give them up, which Procrastinate does not do by itself."""
    jobs = context.app.job_manager
    for job in await jobs.get_stalled_jobs(seconds_since_heartbeat=STALLED):
        try:
            await _recover(jobs, job)
        except Exception:  # the others are recovered all the same
            logger.exception("Job %s could not be recovered", job.id)


async def _recover(jobs: JobManager, job: Job) -> None:
    again = job.attempts + 1 < ATTEMPTS
    try:
        if again:
            await jobs.retry_job(job)
    except UniqueViolation:  # the same is queued already
        again = False
    if not again:
        await jobs.finish_job(job, Status.FAILED, delete_job=False)


@app.periodic(cron="7 3 * * *")
@app.task(name="forget_jobs", pass_context=True)
async def forget_jobs(context: JobContext, timestamp: int) -> None:
    """Remove jobs that ended long ago."""
    await context.app.job_manager.delete_old_jobs(nb_hours=FINISHED, include_failed=True, include_cancelled=True)


@regularly("17 3 * * *")
def refresh_models() -> None:
    """Load the list of models from the Models API."""
    call_command("refresh_models")


@regularly("27 3 * * *")
def check_ledger() -> None:
    """Check that the numbers of the ledger agree; the admin shows the results."""
    ledger_audit.audit()


@regularly("37 3 * * *")
def remove_unused() -> None:
    """Remove attachments that were never used, archives of imports, and expired credentials."""
    attachment_removal.remove_unused(older_than=UNUSED)
    attachment_removal.remove_unwanted_files()
    imports.remove_old()
    AuthToken.objects.filter(expiry__lt=Now()).delete()
    Ticket.objects.filter(expires_at__lt=Now()).delete()
    Session.objects.filter(expire_date__lt=Now()).delete()
    login_failures.forget_old()


@regularly("47 3 * * *")
def remove_old() -> None:
    """Delete conversations whose retention is over, by the rules of retention and by COLLOQUY_KEEP_DAYS."""
    retention.remove_expired()


@regularly("17 * * * *")
def remove_temporary() -> None:
    """Delete temporary conversations whose last turn was a day ago."""
    retention.remove_expired(temporary_only=True)


@regularly("*/5 * * * *")
def finish_deletions() -> None:
    """Continue deletions of accounts whose process has died."""
    account_deletion.resume()
