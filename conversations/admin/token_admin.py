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
    """Tokens, which can be revoked by deleting them. Knox's own page also makes tokens, in anybody's name."""

    list_display = ("token_key", "user", "created", "expiry")
    list_select_related = ("user",)
    search_fields = ("user__username",)
    fields = ("token_key", "user", "created", "expiry")
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Return false: only a user can make a token of theirs."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Return false: a token has nothing that can be changed."""
        return False
