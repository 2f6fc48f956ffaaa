"""Rows that a process works on: claimed under a fence, and settled by anyone when the process's lease runs out."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce, Now

from conversations.fields import uuid7
from conversations.models.process import Process

AT_ONCE = 100


class Leased(models.Model):
    """A piece of work with one holder at a time.

    The fence grows with every claim, and nothing is written for the work unless under the newest one: a process that
    slept past its lease writes nothing more.
    """

    QUEUED = "queued"
    RUNNING = "running"
    TERMINAL: ClassVar[frozenset[str]]

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    status = models.CharField(max_length=14, default=QUEUED)
    fence = models.BigIntegerField(default=0)
    holder = models.UUIDField(null=True, help_text="The process that runs it.")
    cancel_requested_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    @property
    def ended(self) -> bool:
        """Whether nothing will change any more."""
        return self.status in self.TERMINAL

    @classmethod
    def claim(cls, id: uuid.UUID, holder: uuid.UUID) -> bool:
        """Takes queued work for a process; false where another was first, or it was cancelled meanwhile."""
        queued = cls._base_manager.filter(pk=id, status=cls.QUEUED)
        return bool(
            queued.update(
                status=cls.RUNNING,
                fence=models.F("fence") + 1,
                holder=holder,
                started_at=Coalesce("started_at", Now()),
            )
        )

    @classmethod
    def to_cancel(cls, holder: uuid.UUID) -> list[uuid.UUID]:
        """What this process runs and was asked to stop."""
        held = cls._base_manager.filter(holder=holder, status=cls.RUNNING, cancel_requested_at__isnull=False)
        return list(held.values_list("pk", flat=True))

    @classmethod
    def abandoned(cls) -> list[uuid.UUID]:
        """Running work whose process has not been heard of for a lease."""
        alive = Process.objects.filter(pk=models.OuterRef("holder"), leased_until__gt=Now())
        running = cls._base_manager.filter(status=cls.RUNNING).exclude(models.Exists(alive))
        return list(running.values_list("pk", flat=True)[:AT_ONCE])

    @classmethod
    def waiting(cls, seconds: float) -> list[uuid.UUID]:
        """Work that nobody has taken for so many seconds."""
        queued = cls._base_manager.filter(status=cls.QUEUED, created_at__lt=from_now(-seconds))
        return list(queued.order_by("pk").values_list("pk", flat=True)[:AT_ONCE])


def renew_lease(process: uuid.UUID) -> None:
    """Keeps everything that a process holds for another `COLLOQUY_LEASE` seconds."""
    Process.objects.update_or_create(pk=process, defaults={"leased_until": from_now(settings.COLLOQUY_LEASE)})


def end_lease(process: uuid.UUID) -> None:
    """What the process still holds is anyone's to settle."""
    Process.objects.filter(pk=process).delete()


def from_now(seconds: float) -> RawSQL:
    """A time by the database's clock, since hosts' clocks differ."""
    return RawSQL("now() + make_interval(secs => %s)", (seconds,), output_field=models.DateTimeField())
