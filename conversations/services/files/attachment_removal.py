"""Removing unused attachments, and bytes in the storage without an owner.

Postgres records the bytes of every deleted attachment (`UnwantedFile`): those that could not be removed from the
storage at once are removed at night.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from django.db.models import RestrictedError

from conversations.clock import from_now
from conversations.models import Attachment, UnwantedFile
from conversations.services.files import stored_files

logger = logging.getLogger(__name__)


def remove_if_unused(id: uuid.UUID) -> bool:
    """Remove an attachment without references, and its bytes if no other user has the same.

    Return whether it was removed. Not within a transaction: the storage is used.
    """
    try:
        with transaction.atomic(durable=True):
            attachment = Attachment.objects.select_for_update().filter(pk=id).first()
            # After locking it: a message that was about to refer to it does so by now.
            if attachment is None or attachment.shown_in.exists():
                return False
            attachment.delete()
    except RestrictedError:  # something else than a message needs it
        return False
    remove_file(attachment.sha256)
    return True


def remove_each_if_unused(ids: Iterable[uuid.UUID]) -> int:
    """Remove attachments as `remove_if_unused` does; return the number of removed ones.

    One that can't be removed is logged, and does not block the others.
    """
    return sum(map(_removed, set(ids)))


def _removed(id: uuid.UUID) -> bool:
    try:
        return remove_if_unused(id)
    except Exception:
        logger.exception("Attachment %s could not be removed", id)
        return False


def remove_unused(*, older_than: timedelta) -> int:
    """Remove old uploads without references; return the number of removed ones."""
    before = from_now(-older_than.total_seconds())
    unused = Attachment.objects.filter(shown_in__isnull=True, created_at__lt=before)
    return remove_each_if_unused(list(unused.values_list("pk", flat=True)))


def remove_file(sha256: str) -> None:
    """Remove bytes from the storage, unless a user has them, and their record."""
    noted = list(UnwantedFile.objects.filter(sha256=sha256).values_list("pk", flat=True))
    with stored_files.locked(sha256):
        if not Attachment.objects.filter(sha256=sha256).exists():
            stored_files.remove(Attachment.path_of(sha256))
        UnwantedFile.objects.filter(pk__in=noted).delete()


def remove_unwanted_files() -> None:
    """Remove the bytes of all deleted attachments; failures are retried the next time."""
    for sha256 in list(UnwantedFile.objects.values_list("sha256", flat=True).distinct()):
        try:
            remove_file(sha256)
        except Exception:
            logger.exception("The file %s could not be removed", sha256)
