"""Deleting extractions and related objects, single ones or all of a user. Ledger rows stay."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import TypeVar

from django.db.models import Model, QuerySet

from conversations.models import Deletion, User
from conversations.services.deletion import deletion_reports
from conversations.services.deletion.deletion import in_one_go, remove_attachments, report_of
from extraction.models import Answer, Batch, Evaluation, Extraction, Item, ItemSource, SchemaVersion, Source
from extraction.services import answers, batch_jobs, extractions

RowT = TypeVar("RowT", bound=Model)

AT_ONCE = 50
"""The number of extractions that are deleted in one transaction."""
ITEMS_AT_ONCE = 500


def delete_extraction(*, user: User, id: uuid.UUID | str) -> None:
    """Delete an extraction, and stop it if it runs. Raise NotFound."""
    found = Extraction.objects.get_visible(user, id)
    report = report_of(user, Deletion.Kind.EXTRACTION, Deletion.Cause.OWNER)
    _delete_all([found.pk], report)
    if not report.erased:  # another request was faster
        raise Extraction.objects.not_found()
    deletion_reports.finish(report)


def erase(user: User, report: Deletion) -> None:
    """Delete all of a user's extraction data, in portions. Called when an account is deleted."""
    for id in list(user.evaluations.values_list("pk", flat=True)):
        in_one_go(_delete_rows, Evaluation.objects.filter(pk=id), report)
    for id in list(user.batches.values_list("pk", flat=True)):
        _delete_batch(id, report)
    own = user.extractions.order_by("pk").values_list("pk", flat=True)
    while ids := list(own[:AT_ONCE]):
        _delete_all(ids, report)
    in_one_go(_delete_rows, SchemaVersion.objects.filter(owner=user), report)


def _delete_rows(rows: QuerySet[RowT], report: Deletion) -> None:
    _, deleted = rows.delete()
    deletion_reports.add(report, deletion_reports.kinds(deleted))


def _delete_batch(id: uuid.UUID, report: Deletion) -> None:
    """Delete a batch: stop it, then delete its items with their extractions, and finally its jobs."""
    in_one_go(Batch.objects.filter(pk=id).update, status=Batch.Status.CANCELLED)
    items = Item.objects.filter(batch=id).order_by("number")
    extracted = items.filter(extraction__isnull=False).values_list("extraction", flat=True)
    while ids := list(extracted[:AT_ONCE]):
        _delete_all(ids, report)
    while ids := list(items.values_list("pk", flat=True)[:ITEMS_AT_ONCE]):
        remove_attachments(in_one_go(_deleted_items, ids, report), report)
    in_one_go(_delete_rows, Batch.objects.filter(pk=id), report)
    deletion_reports.add(report, {"jobs": batch_jobs.forget(id)})


def _deleted_items(ids: Collection[uuid.UUID], report: Deletion) -> set[uuid.UUID]:
    """Delete items of a batch; return the ids of the attachments in their contents."""
    made_from = set(ItemSource.objects.filter(item__in=ids).values_list("attachment", flat=True))
    _delete_rows(Item.objects.filter(pk__in=ids), report)
    return made_from


def _delete_all(ids: Collection[uuid.UUID], report: Deletion) -> None:
    """Delete extractions, and attachments without other references."""
    remove_attachments(in_one_go(_deleted, ids, report), report)


def _deleted(ids: Collection[uuid.UUID], report: Deletion) -> set[uuid.UUID]:
    """Book, stop and delete extractions; return the ids of the attachments in their contents."""
    # Locked before their attempts are read, so that no running process adds one meanwhile.
    rows = Extraction.objects.filter(pk__in=ids).select_for_update(of=("self",))
    for extraction in rows.select_related("owner", "schema").order_by("pk"):
        extractions.stop(extraction)
    made_from = set(Source.objects.filter(extraction__in=ids).values_list("attachment", flat=True))
    answers.take_back(Answer.objects.filter(attempt__extraction__in=ids))  # what could not be booked, which is logged
    _delete_rows(Extraction.objects.filter(pk__in=ids), report)
    return made_from
