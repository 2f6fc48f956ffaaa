"""The tokens of API clients."""

from __future__ import annotations

import knox.admin  # noqa: F401 - it registers a page of its own, which this one replaces
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from knox.models import AuthToken

from conversations.admin.lookups import DeclaredLookups

admin.site.unregister(AuthToken)


@admin.register(AuthToken)
class TokenAdmin(DeclaredLookups):
    """Tokens, which are revoked by deleting them. (Knox's own page could also create tokens for other users.)"""

    list_display = ("token_key", "user", "created", "expiry")
    list_select_related = ("user",)
    search_fields = ("user__username",)
    fields = ("token_key", "user", "created", "expiry")
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Return False: only users can create tokens of their own."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Return False: a token has no editable fields."""
        return False
