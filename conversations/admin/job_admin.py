"""The admin's pages of the worker's jobs."""

from __future__ import annotations

from django.contrib import admin
from procrastinate.contrib.django.admin import ProcrastinateJobAdmin
from procrastinate.contrib.django.models import ProcrastinateJob

from conversations.admin.lookups import DeclaredLookups

admin.site.unregister(ProcrastinateJob)


@admin.register(ProcrastinateJob)
class JobAdmin(DeclaredLookups, ProcrastinateJobAdmin):
    """Jobs, each with its events; they can be retried, but not changed otherwise."""
