"""Deleting extractions and what belongs to them, and all that a user has of that. The rows of the ledger stay."""

from __future__ import annotations

import uuid
from collections.abc import Collection

from conversations.models import User
from conversations.services import attachment_removal
from conversations.services.deletion import in_one_go
from extraction.models import Answer, Batch, Evaluation, Extraction, Item, ItemSource, SchemaVersion, Source
from extraction.services import answers, batch_jobs, extractions

AT_ONCE = 50
"""Extractions that are deleted in one transaction."""
ITEMS_AT_ONCE = 500


def delete_extraction(*, user: User, id: uuid.UUID | str) -> None:
    """Delete an extraction, and stop it where it runs. Raises NotFound."""
    found = Extraction.objects.get_visible(user, id)
    _delete_all([found.pk])


def erase(user: User) -> None:
    """Delete all that a user has of extraction, a part at a time; `deletion.delete_account` calls it."""
    for id in list(user.evaluations.values_list("pk", flat=True)):
        in_one_go(Evaluation.objects.filter(pk=id).delete)
    for id in list(user.batches.values_list("pk", flat=True)):
        _delete_batch(id)
    own = user.extractions.order_by("pk").values_list("pk", flat=True)
    while ids := list(own[:AT_ONCE]):
        _delete_all(ids)
    in_one_go(SchemaVersion.objects.filter(owner=user).delete)


def _delete_batch(id: uuid.UUID) -> None:
    """Delete a batch: no item is begun any more, then its items go with their extractions, and at last its jobs."""
    in_one_go(Batch.objects.filter(pk=id).update, status=Batch.Status.CANCELLED)
    items = Item.objects.filter(batch=id).order_by("number")
    extracted = items.filter(extraction__isnull=False).values_list("extraction", flat=True)
    while ids := list(extracted[:AT_ONCE]):
        _delete_all(ids)
    while ids := list(items.values_list("pk", flat=True)[:ITEMS_AT_ONCE]):
        attachment_removal.remove_each_if_unused(in_one_go(_deleted_items, ids))
    in_one_go(Batch.objects.filter(pk=id).delete)
    batch_jobs.forget(id)


def _deleted_items(ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Delete items of a batch; return the ids of the attachments that they were made from."""
    made_from = set(ItemSource.objects.filter(item__in=ids).values_list("attachment", flat=True))
    Item.objects.filter(pk__in=ids).delete()
    return made_from


def _delete_all(ids: Collection[uuid.UUID]) -> None:
    """Delete extractions, and the attachments that nothing else is made from."""
    attachment_removal.remove_each_if_unused(in_one_go(_deleted, ids))


def _deleted(ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Book, stop and delete extractions; return the ids of the attachments that they were made from."""
    # Locked before their attempts are looked for: whoever runs one adds none meanwhile.
    rows = Extraction.objects.filter(pk__in=ids).select_for_update(of=("self",))
    for extraction in rows.select_related("owner", "schema").order_by("pk"):
        extractions.stop(extraction)
    made_from = set(Source.objects.filter(extraction__in=ids).values_list("attachment", flat=True))
    answers.take_back(Answer.objects.filter(attempt__extraction__in=ids))  # what could not be booked, which is logged
    Extraction.objects.filter(pk__in=ids).delete()
    return made_from
