"""Importing archives in this process, entry by entry in small steps, with resumption after a crash."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from conversations.archives.attachment_part import find_stored
from conversations.archives.conversation_part import told
from conversations.archives.detecting import Task, left_out, tasks_of
from conversations.archives.json_elements import is_object
from conversations.archives.parts import Entry, Importing, entries
from conversations.archives.zip_file import Archive
from conversations.database import persistently
from conversations.errors import ColloquyError
from conversations.models import ArchiveImport, LostImport
from conversations.running.storage_threads import in_storage
from conversations.running.work_runner import CANCELLED, Stopped, StopSignal
from conversations.services import imports
from conversations.services.files import stored_files

if TYPE_CHECKING:
    from conversations.running.engine import Engine

logger = logging.getLogger(__name__)

ENTRIES_AT_ONCE = 50
BYTES_AT_ONCE = 1 << 20
FAILED = "It could not be imported; the platform's log says why."


class ImportWork:
    """The imports that this process runs, one after the other, to leave capacity for turns."""

    name = "import"
    tables = None
    to_cancel = staticmethod(ArchiveImport.to_cancel)
    abandoned = staticmethod(ArchiveImport.abandoned_ids)
    waiting = staticmethod(ArchiveImport.waiting)

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._one = asyncio.Lock()

    def settle(self, id: uuid.UUID, process: uuid.UUID) -> None:
        """Queue an import of a dead process again, or end it."""
        imports.settle(id=id, by=process)

    async def run(self, id: uuid.UUID, stop: StopSignal) -> None:
        """Claim an import, run it, and end it."""
        try:
            await stop.able(_acquired(self._one))
        except Stopped:
            return  # it is queued, and any process may take it
        try:
            job = await persistently(imports.claim, id=id, holder=self._engine.process)
            if job is not None:
                await _run(job, stop)
        finally:
            self._one.release()


async def _acquired(lock: asyncio.Lock) -> None:
    await lock.acquire()


async def _run(job: ArchiveImport, stop: StopSignal) -> None:
    try:
        await stop.able(_import(job))
    except LostImport:
        await persistently(imports.end, job, ArchiveImport.Status.CANCELLED)
    except Stopped as stopped:
        if stopped.reason == CANCELLED:
            await persistently(imports.end, job, ArchiveImport.Status.CANCELLED)
        else:
            await persistently(imports.put_back, job)
    except Exception as error:
        if not isinstance(error, ColloquyError):
            logger.exception("Import %s failed", job.pk)
        complaint = error.message if isinstance(error, ColloquyError) else FAILED
        await persistently(imports.end, job, ArchiveImport.Status.FAILED, complaint)
    else:
        await persistently(imports.end, job, ArchiveImport.Status.COMPLETED)


async def _import(job: ArchiveImport) -> None:
    file = await in_storage(stored_files.opened, job.path)
    with file:
        archive = await in_storage(Archive, file)
        importing, tasks = Importing(job, archive), tasks_of(archive, job.source)
        counts, others = await in_storage(_counts, archive, tasks)
        notes = [*_told_of_others(others), *await in_storage(list, left_out(importing, counts))]
        done = await persistently(imports.begin, job, sum(counts.values()), notes)
        await persistently(find_stored, importing, archive)
        for task in tasks:
            found = entries(archive, task.names)
            done -= await in_storage(_skip, found, done)
            while some := await in_storage(_some, found):
                await _take(importing, task, some)


def _counts(archive: Archive, tasks: Sequence[Task]) -> tuple[dict[str, int], dict[str, int]]:
    """Return the numbers of entries and of other values in each file that can be imported."""
    counts, others = {}, {}
    for name in [name for task in tasks for name in task.names]:
        kinds = Counter(map(is_object, archive.values(name) if name in archive.names else ()))
        counts[name], others[name] = kinds[True], kinds[False]
    return counts, others


def _told_of_others(others: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    """Yield the files with values that are not entries, and their number, as `left_out` does."""
    for name, count in others.items():
        if count:
            yield name, f"Values that are left out, since they are no objects: {count}."


def _skip(found: Iterator[Entry], count: int) -> int:
    """Skip a number of entries, or as many as there are; return how many were skipped."""
    return sum(1 for _ in islice(found, count))


def _some(found: Iterator[Entry]) -> list[Entry]:
    """Return the entries of the next step."""
    some, size = [], 0
    for entry in found:
        some.append(entry)
        size += len(entry.text)
        if len(some) == ENTRIES_AT_ONCE or size > BYTES_AT_ONCE:
            break
    return some


async def _take(importing: Importing, task: Task, some: Sequence[Entry]) -> None:
    """Import entries together; if that fails, each separately, so that one does not block the others."""
    try:
        await task.take(importing, some)
    except (LostImport, asyncio.CancelledError):
        raise
    except Exception as error:
        if len(some) > 1:
            for entry in some:
                await _take(importing, task, [entry])
            return
        complaint = told(error) if isinstance(error, ColloquyError) else FAILED
        if complaint is FAILED:
            logger.exception("An entry of import %s could not be imported", importing.job.pk)
        await persistently(_note_failure, importing, some[0], complaint)


def _note_failure(importing: Importing, entry: Entry, complaint: str) -> None:
    with imports.step(importing.job) as sums:
        sums.done += 1
        sums.fail(entry.place, complaint)
