"""The life of an import: created with its archive, claimed, run in steps, ended; and the removal of its archive."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import IO

from django.db import transaction
from django.db.models.functions import Now

from conversations import clock
from conversations.clock import from_now
from conversations.errors import Conflict
from conversations.fields import uuid7
from conversations.models import ArchiveImport, LostImport, User
from conversations.models.archive_import import FOLDER
from conversations.services.files import stored_files
from conversations.services.notices import notify

AT_ONCE = 3
"""The maximal number of a user's imports that have not ended."""
CLAIMS_LIMIT = 20
"""How often an import is restarted before it fails: it may be the cause of its processes' deaths."""
PROBLEMS_LIMIT = 100
TEXT_LIMIT = 500  # characters of a problem
KEPT = timedelta(days=30)
RECENT = 3600  # seconds
LOST = "The processes that ran this import died repeatedly. What was imported is kept; the rest was not imported."


@dataclass
class Tally:
    """The results for some entries of an archive."""

    done: int = 0
    conversations: int = 0
    messages: int = 0
    extractions: int = 0
    skipped: int = 0
    failed: int = 0
    problems: list[dict[str, str]] = field(default_factory=list)

    def note(self, entry: str, message: str) -> None:
        """Record a part of an entry that was left out."""
        self.problems.append({"entry": entry[:TEXT_LIMIT], "message": message[:TEXT_LIMIT]})

    def fail(self, entry: str, message: str) -> None:
        """Record why an entry could not be imported."""
        self.failed += 1
        self.note(entry, message)


def create(*, owner: User, source: str, file: IO[bytes], size: int) -> ArchiveImport:
    """Store a checked archive, and queue the work of importing it. Not within a transaction.

    The caller has it run by `engine.run("import", id)`. Raise Conflict if too many have not ended.
    """
    job = ArchiveImport(pk=uuid7(), owner=owner, source=source, size=size)
    stored_files.save_file(job.path, file)
    try:
        with transaction.atomic(durable=True):
            User.objects.select_for_update(no_key=True).get(pk=owner.pk)
            if ArchiveImport.unended().filter(owner=owner).count() >= AT_ONCE:
                raise Conflict(f"{AT_ONCE} imports have not ended yet: wait until one has, or cancel it.")
            job.save(force_insert=True)
    except BaseException:
        stored_files.remove(job.path)
        raise
    return ArchiveImport.objects.get(pk=job.pk)


def claim(*, id: uuid.UUID, holder: uuid.UUID) -> ArchiveImport | None:
    """Claim a queued import for a process; return None if another one was faster, or it was cancelled."""
    with transaction.atomic(durable=True):
        claimed = ArchiveImport.claim(id, holder)
        return ArchiveImport.objects.select_related("owner").get(pk=id) if claimed else None


@contextmanager
def step(job: ArchiveImport) -> Iterator[Tally]:
    """Run a step of an import in a transaction; yield a tally, whose counts are added to the import.

    Raises LostImport where the import does not run under this instance's fence any more.
    """
    with transaction.atomic(durable=True):
        row = _locked_as_ours(job)
        tally = Tally()
        yield tally
        for name in ("done", "conversations", "messages", "extractions", "skipped", "failed"):
            setattr(row, name, getattr(row, name) + getattr(tally, name))
        row.problems = [*row.problems, *tally.problems][:PROBLEMS_LIMIT]
        row.save()


def begin(job: ArchiveImport, total: int, left_out: Sequence[tuple[str, str]] = ()) -> int:
    """Record the number of entries, and the parts of the archive that can't be imported, each with a note.

    Return the number of entries that were processed before.
    """
    tally = Tally()
    for entry, message in left_out:
        tally.note(entry, message)
    with transaction.atomic(durable=True):
        row = _locked_as_ours(job)
        row.total = total
        row.problems = row.problems or tally.problems[:PROBLEMS_LIMIT]
        row.save(update_fields=["total", "problems"])
        return row.done


def _locked_as_ours(job: ArchiveImport) -> ArchiveImport:
    ours = ArchiveImport.objects.select_for_update(no_key=True).filter(pk=job.pk, fence=job.fence)
    row = ours.filter(status=ArchiveImport.RUNNING, cancel_requested_at=None).first()
    if row is None:
        raise LostImport
    return row


def cancel(*, user: User, id: uuid.UUID | str) -> ArchiveImport:
    """Stop an import; imported data stays. An ended import stays unchanged. Raise NotFound."""
    with transaction.atomic(durable=True):
        found = ArchiveImport.objects.get_visible(user, id)
        job = ArchiveImport.objects.select_for_update(no_key=True).get(pk=found.pk)
        if job.ended:
            return job
        if job.status == ArchiveImport.QUEUED:
            job.status, job.finished_at = ArchiveImport.Status.CANCELLED, Now()
        job.cancel_requested_at = Now()
        job.save(update_fields=["status", "finished_at", "cancel_requested_at"])
        notify("cancel", job.pk)
    if job.ended:
        stored_files.remove(job.path)
    job.refresh_from_db()
    return job


def end(job: ArchiveImport, status: str, complaint: str = "") -> None:
    """End an import that this process has claimed, if it still holds it, and remove its archive."""
    with transaction.atomic(durable=True):
        ours = ArchiveImport.objects.select_for_update(no_key=True).filter(pk=job.pk, fence=job.fence)
        row = ours.filter(status=ArchiveImport.RUNNING).first()
        if row is None:
            return
        _end(row, status, complaint)
    stored_files.remove(job.path)


def _end(row: ArchiveImport, status: str, complaint: str) -> None:
    row.status = ArchiveImport.Status.CANCELLED if row.cancel_requested_at else status
    row.finished_at = Now()
    if complaint:
        row.problems = [{"entry": "", "message": complaint[:TEXT_LIMIT]}, *row.problems][:PROBLEMS_LIMIT]
    row.save()


def put_back(job: ArchiveImport) -> None:
    """Release an import that runs here: another process continues it."""
    ArchiveImport.objects.filter(pk=job.pk, fence=job.fence, status=ArchiveImport.RUNNING).update(
        status=ArchiveImport.QUEUED, holder=None
    )


def settle(*, id: uuid.UUID, by: uuid.UUID) -> None:
    """Queue an import of a dead process again, or of the process `by`; end it if that was tried too often."""
    with transaction.atomic(durable=True):
        job = ArchiveImport.abandoned(by).select_for_update(no_key=True, skip_locked=True).filter(pk=id).first()
        if job is None:
            return
        if job.cancel_requested_at is None and job.fence < CLAIMS_LIMIT:
            put_back(job)
            return
        _end(job, ArchiveImport.Status.FAILED, LOST)
    stored_files.remove(job.path)


def erase(user: User) -> int:
    """Delete a user's imports with their archives, after stopping them. Return the number."""
    jobs = list(ArchiveImport.objects.filter(owner=user))
    for job in jobs:
        ArchiveImport.objects.filter(pk=job.pk).delete()
        notify("cancel", job.pk)
        stored_files.remove(job.path)
    return len(jobs)


def remove_old() -> None:
    """Delete imports that ended long ago, and archives without an import."""
    ArchiveImport.objects.filter(finished_at__lt=from_now(-KEPT.total_seconds())).delete()
    names = stored_files.names_in(FOLDER)  # before the rows: an archive is there first
    needed = {str(id) for id in ArchiveImport.unended().values_list("pk", flat=True)}
    for name in names:
        if name not in needed and _is_old(name):
            stored_files.remove(f"{FOLDER}/{name}")


def _is_old(name: str) -> bool:
    """Return whether an archive was stored so long ago that its row exists by now, or never will."""
    try:
        made = uuid.UUID(name).int >> 80  # the time in a UUIDv7, in milliseconds
    except ValueError:
        return True
    return made < (clock.now().timestamp() - RECENT) * 1000
