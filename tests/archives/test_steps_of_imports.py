"""An import saves its progress under its fence, ends once, and then removes its archive."""

from __future__ import annotations

import io
import uuid
from datetime import timedelta

import pytest
from django.core.files.storage import default_storage

from conversations import clock
from conversations.errors import Conflict, NotFound
from conversations.fields import uuid7
from conversations.models import ArchiveImport, LostImport, Process, User
from conversations.services import imports

Status = ArchiveImport.Status


@pytest.fixture
def owner(database: str) -> User:
    return User.objects.create_user(f"importer-{uuid.uuid4().hex[:8]}")


@pytest.fixture
def process(database: str) -> Process:
    return Process.objects.create(leased_until=clock.now() + timedelta(hours=1))


def made(owner: User) -> ArchiveImport:
    return imports.create(owner=owner, source="chatgpt", file=io.BytesIO(b"archive"), size=7)


def claimed(owner: User, process: Process) -> ArchiveImport:
    job = imports.claim(id=made(owner).pk, holder=process.pk)
    assert job is not None
    return job


def stored(job: ArchiveImport) -> bool:
    return default_storage.exists(job.path)


def again(job: ArchiveImport) -> ArchiveImport:
    return ArchiveImport.objects.get(pk=job.pk)


def test_an_import_is_queued_with_its_archive(owner: User) -> None:
    job = made(owner)
    assert (job.status, job.source, job.size, job.done, job.fence) == ("queued", "chatgpt", 7, 0, 0)
    assert stored(job)


def test_one_too_many_is_refused_and_leaves_no_archive(owner: User) -> None:
    jobs = [made(owner) for _ in range(imports.AT_ONCE)]
    before = set(default_storage.listdir("imports")[1])
    with pytest.raises(Conflict, match="3 imports have not ended yet"):
        made(owner)
    assert set(default_storage.listdir("imports")[1]) == before
    imports.cancel(user=owner, id=jobs[0].pk)
    assert made(owner).status == "queued", "one that has ended does not count"


def test_one_process_takes_it(owner: User, process: Process) -> None:
    job = claimed(owner, process)
    assert (job.status, job.holder, job.fence) == ("running", process.pk, 1)
    assert again(job).started_at is not None
    assert imports.claim(id=job.pk, holder=uuid.uuid4()) is None
    assert imports.claim(id=job.pk, holder=process.pk) is not None, "the answer to its claim may have been lost"


def test_steps_add_up_and_only_so_many_problems_are_kept(owner: User, process: Process) -> None:
    job = claimed(owner, process)
    assert imports.begin(job, 7, [("a", "left out")]) == 0
    for _ in range(2):
        with imports.step(job) as sums:
            sums.done, sums.conversations, sums.messages, sums.extractions, sums.skipped = 3, 1, 5, 2, 1
            for _ in range(imports.PROBLEMS_LIMIT):
                sums.fail("e" * 900, "m" * 900)
    found = again(job)
    counted = (found.total, found.done, found.conversations, found.messages, found.extractions, found.skipped)
    assert counted == (7, 6, 2, 10, 4, 2)
    assert found.failed == 2 * imports.PROBLEMS_LIMIT
    assert len(found.problems) == imports.PROBLEMS_LIMIT
    assert found.problems[0] == {"entry": "a", "message": "left out"}
    assert found.problems[1] == {"entry": "e" * 500, "message": "m" * 500}


def test_an_import_that_goes_on_elsewhere_is_told_once_what_is_left_out(owner: User, process: Process) -> None:
    job = claimed(owner, process)
    imports.begin(job, 7, [("a", "left out")])
    with imports.step(job) as sums:
        sums.done = 4
    imports.put_back(job)
    other = imports.claim(id=job.pk, holder=process.pk)
    assert other is not None
    assert imports.begin(other, 7, [("a", "left out")]) == 4
    assert again(job).problems == [{"entry": "a", "message": "left out"}]


def test_a_step_that_fails_counts_nothing(owner: User, process: Process) -> None:
    job = claimed(owner, process)

    def failing() -> None:
        with imports.step(job) as sums:
            sums.done = 3
            raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        failing()
    assert again(job).done == 0


def test_nothing_is_written_by_a_process_that_has_lost_it(owner: User, process: Process) -> None:
    job = claimed(owner, process)
    imports.put_back(job)
    living = Process.objects.create(leased_until=clock.now() + timedelta(hours=1))
    newer = imports.claim(id=job.pk, holder=living.pk)
    assert newer is not None
    assert newer.fence == 2
    with pytest.raises(LostImport), imports.step(job):
        pass
    with pytest.raises(LostImport):
        imports.begin(job, 3)
    imports.end(job, Status.COMPLETED)
    imports.put_back(job)
    assert (again(job).status, again(job).holder) == ("running", newer.holder)
    assert stored(job)


def test_it_ends_once_and_its_archive_is_gone(owner: User, process: Process) -> None:
    job = claimed(owner, process)
    imports.end(job, Status.FAILED, "It is " + "x" * 600)
    found = again(job)
    assert (found.status, found.problems) == ("failed", [{"entry": "", "message": ("It is " + "x" * 600)[:500]}])
    assert found.finished_at is not None
    assert not stored(job)
    imports.end(job, Status.COMPLETED)
    assert again(job).status == "failed"


def test_what_was_asked_to_stop_ends_as_cancelled_whatever_it_came_to(owner: User, process: Process) -> None:
    job = claimed(owner, process)
    assert imports.cancel(user=owner, id=job.pk).status == "running"
    with pytest.raises(LostImport), imports.step(job):
        pass
    imports.end(job, Status.COMPLETED)
    assert again(job).status == "cancelled"


def test_what_nobody_runs_is_cancelled_at_once(owner: User) -> None:
    job = made(owner)
    found = imports.cancel(user=owner, id=job.pk)
    assert (found.status, found.finished_at is not None, stored(job)) == ("cancelled", True, False)
    assert imports.claim(id=job.pk, holder=uuid.uuid4()) is None
    assert imports.cancel(user=owner, id=job.pk).finished_at == found.finished_at, "it stays as it is"


def test_nobody_cancels_anothers(owner: User, database: str) -> None:
    other = User.objects.create_user(f"other-{uuid.uuid4().hex[:8]}")
    with pytest.raises(NotFound):
        imports.cancel(user=other, id=made(owner).pk)


def test_of_a_dead_process_it_is_queued_again_but_not_for_ever(owner: User, process: Process) -> None:
    job = claimed(owner, process)
    imports.settle(id=job.pk, by=uuid.uuid4())
    assert again(job).status == "running", "its process lives"
    Process.objects.filter(pk=process.pk).update(leased_until=clock.now() - timedelta(hours=1))
    imports.settle(id=job.pk, by=uuid.uuid4())
    assert (again(job).status, again(job).holder) == ("queued", None)
    ArchiveImport.objects.filter(pk=job.pk).update(fence=imports.CLAIMS_LIMIT - 1)
    job = imports.claim(id=job.pk, holder=process.pk) or job
    imports.settle(id=job.pk, by=uuid.uuid4())
    found = again(job)
    assert (found.status, found.problems[0]["message"]) == ("failed", imports.LOST)
    assert not stored(job)


def test_with_its_owner_all_of_it_goes(owner: User, process: Process) -> None:
    jobs = [made(owner), claimed(owner, process)]
    assert imports.erase(owner) == 2
    assert not any(stored(job) for job in jobs)
    assert not ArchiveImport.objects.filter(owner=owner).exists()


def test_old_imports_and_archives_that_nobody_needs_are_removed(owner: User) -> None:
    kept, recent, old = made(owner), made(owner), made(owner)
    imports.cancel(user=owner, id=recent.pk)
    imports.cancel(user=owner, id=old.pk)
    long_ago = clock.now() - imports.KEPT - timedelta(minutes=1)
    ArchiveImport.objects.filter(pk=old.pk).update(finished_at=long_ago)
    milliseconds = int((clock.now().timestamp() - imports.RECENT - 60) * 1000)
    stale = uuid.UUID(int=(milliseconds << 80) | (uuid7().int & (1 << 80) - 1))
    names = {"stale": str(stale), "fresh": str(uuid7()), "strange": "no-id"}
    for name in names.values():
        default_storage.save(f"imports/{name}", io.BytesIO(b"x"))
    imports.remove_old()
    left = set(default_storage.listdir("imports")[1])
    assert {str(kept.pk), names["fresh"]} <= left, "one that was just stored gets its row in a moment"
    assert not {names["stale"], names["strange"]} & left
    assert ArchiveImport.objects.filter(pk=recent.pk).exists()
    assert not ArchiveImport.objects.filter(pk=old.pk).exists()
    default_storage.delete(f"imports/{names['fresh']}")
