"""Jobs of dead workers are queued again a limited number of times; a job that can't be queued does not block others."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from procrastinate.contrib.django import app
from procrastinate.exceptions import UniqueViolation
from procrastinate.jobs import Job, Status

from config import tasks


@dataclass
class Jobs:
    """A stub of Procrastinate's job manager, with the methods that recovery uses."""

    stalled: list[Job]
    refusing: Exception | None = None
    asked: float = 0
    retried: list[int] = field(default_factory=list)
    failed: list[int] = field(default_factory=list)

    async def get_stalled_jobs(self, seconds_since_heartbeat: float) -> list[Job]:
        self.asked = seconds_since_heartbeat
        return self.stalled

    async def retry_job(self, job: Job) -> None:
        if self.refusing and job.id == 1:
            raise self.refusing
        self.retried.append(job.id or 0)

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:
        assert (status, delete_job) == (Status.FAILED, False), "what failed can be looked at"
        self.failed.append(job.id or 0)


def job(id: int, attempts: int) -> Job:
    return Job(id=id, queue="default", lock=None, queueing_lock=None, task_name="x", attempts=attempts)


async def recovered(*stalled: Job, refusing: Exception | None = None) -> Jobs:
    jobs = Jobs([*stalled], refusing)
    context: Any = SimpleNamespace(app=SimpleNamespace(job_manager=jobs))
    await tasks.recover.func(context, 0)
    return jobs


async def test_a_job_is_begun_three_times_at_most() -> None:
    jobs = await recovered(*(job(attempts + 1, attempts) for attempts in range(5)))
    assert (jobs.retried, jobs.failed) == ([1, 2], [3, 4, 5])
    assert jobs.asked == tasks.STALLED


async def test_a_job_that_is_queued_already_is_given_up_and_not_doubled() -> None:
    jobs = await recovered(job(1, 0), job(2, 0), refusing=UniqueViolation(constraint_name="x", queueing_lock="x"))
    assert (jobs.retried, jobs.failed) == ([2], [1])


async def test_one_that_cannot_be_recovered_does_not_keep_the_others(caplog: pytest.LogCaptureFixture) -> None:
    jobs = await recovered(job(1, 0), job(2, 0), job(3, 9), refusing=ConnectionError("lost"))
    assert (jobs.retried, jobs.failed) == ([2], [3])
    assert [record.getMessage() for record in caplog.records] == ["Job 1 could not be recovered"]


AT = {
    "recover": "* * * * *",
    "forget_jobs": "7 3 * * *",
    "refresh_models": "17 3 * * *",
    "check_ledger": "27 3 * * *",
    "remove_unused": "37 3 * * *",
    "remove_old": "47 3 * * *",
    "remove_temporary": "17 * * * *",
    "finish_deletions": "*/5 * * * *",
}


def test_each_job_has_its_time_and_waits_in_the_queue_once() -> None:
    periodic = {each.task.name: each for each in app.periodic_registry.periodic_tasks.values()}
    assert {name: periodic[name].cron for name in AT} == AT
    for name in AT.keys() - {"recover", "forget_jobs"}:
        assert app.tasks[name].queueing_lock == name, "two workers that are late do not do it twice"
