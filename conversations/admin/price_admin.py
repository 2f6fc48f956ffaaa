"""The platform's own prices."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib import admin
from django.http import HttpRequest

from conversations.admin.lookups import DeclaredLookups
from conversations.models import Price

PRICES = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h", "web_search")


@admin.register(Price)
class PriceAdmin(DeclaredLookups):
    """Prices. One that was used can't be changed, except for its note: a newer one replaces it."""

    fields = ("model", "speed", "above_tokens", "valid_from", *PRICES, "note")
    list_display = ("model", "speed", "above_tokens", "valid_from", *PRICES, "note", "created_at")
    list_filter = ("speed", "valid_from")
    search_fields = ("model", "note")

    def get_readonly_fields(self, request: HttpRequest, obj: Price | None = None) -> Sequence[str]:
        """Return all fields but the note for a price that has priced a request."""
        used = obj is not None and obj.usage.exists()
        return tuple(name for name in self.fields if name != "note") if used else ()

    def has_delete_permission(self, request: HttpRequest, obj: Price | None = None) -> bool:
        """Return false for a price that has priced a request."""
        used = obj is not None and obj.usage.exists()
        return not used and super().has_delete_permission(request, obj)
