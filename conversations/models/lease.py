"""Work rows: claimed by a process under a fence, and settled by any process when the lease expires."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import ClassVar, Self

from django.db import models
from django.db.models.functions import Coalesce, Now

from conversations.clock import from_now
from conversations.fields import uuid7
from conversations.models.process import Process

AT_ONCE = 100


class Leased(models.Model):
    """A piece of work with at most one holder.

    The fence grows with every claim, and only writes under the newest one are accepted: a process that slept past its
    lease writes nothing more.
    """

    QUEUED = "queued"
    RUNNING = "running"
    TERMINAL: ClassVar[frozenset[str]]

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    status = models.CharField(max_length=14, default=QUEUED)
    fence = models.BigIntegerField(default=0)
    holder = models.UUIDField(null=True, help_text="The process that runs it.")
    cancel_requested_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    @property
    def ended(self) -> bool:
        """Return whether the row has a terminal status."""
        return self.status in self.TERMINAL

    @classmethod
    def claim(cls, id: uuid.UUID, holder: uuid.UUID) -> bool:
        """Claim queued work for a process; return False if another was faster, or it was cancelled meanwhile.

        Also True if this process has claimed it already: the result of its first claim was lost with the connection.
        """
        queued = cls._base_manager.filter(pk=id, status=cls.QUEUED)
        claimed = queued.update(
            status=cls.RUNNING, fence=models.F("fence") + 1, holder=holder, started_at=Coalesce("started_at", Now())
        )
        return bool(claimed) or cls._base_manager.filter(pk=id, status=cls.RUNNING, holder=holder).exists()

    @classmethod
    def to_cancel(cls, holder: uuid.UUID) -> list[uuid.UUID]:
        """Return the ids of a process's work that was asked to stop."""
        held = cls._base_manager.filter(holder=holder, status=cls.RUNNING, cancel_requested_at__isnull=False)
        return list(held.values_list("pk", flat=True))

    @classmethod
    def unended(cls) -> models.QuerySet[Self]:
        """Return the work without a terminal status."""
        return cls._base_manager.exclude(status__in=cls.TERMINAL)

    @classmethod
    def abandoned(cls, by: uuid.UUID) -> models.QuerySet[Self]:
        """Return running work whose holder has died, or is `by` itself.

        The lease of its process has expired, or the process is `by` itself.
        """
        alive = Process.objects.filter(pk=models.OuterRef("holder"), leased_until__gt=Now()).exclude(pk=by)
        return cls._base_manager.filter(status=cls.RUNNING).exclude(models.Exists(alive))

    @classmethod
    def abandoned_ids(cls, by: uuid.UUID, running: Collection[uuid.UUID]) -> list[uuid.UUID]:
        """Return ids of abandoned work, at most `AT_ONCE`; `running` is the work that `by` does run."""
        return list(cls.abandoned(by).exclude(pk__in=running).values_list("pk", flat=True)[:AT_ONCE])

    @classmethod
    def waiting(cls, seconds: float) -> list[uuid.UUID]:
        """Return ids of work that was queued for so many seconds, at most `AT_ONCE`."""
        queued = cls._base_manager.filter(status=cls.QUEUED, created_at__lt=from_now(-seconds))
        return list(queued.order_by("pk").values_list("pk", flat=True)[:AT_ONCE])
