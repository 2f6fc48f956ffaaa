"""The results of the checks of the ledger."""

from __future__ import annotations

from django.contrib import admin

from conversations.admin.readonly import ReadOnlyAdmin
from conversations.models import Audit


@admin.register(Audit)
class AuditAdmin(ReadOnlyAdmin):
    """The checks, the newest first."""

    list_display = ("created_at", "__str__", "seconds")
    fields = ("created_at", "seconds", "problems")
    readonly_fields = fields
    search_fields = ()
