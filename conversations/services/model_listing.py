"""Storing the Models API's list, and loading it into the catalogue."""

from __future__ import annotations

from django.db import transaction

from conversations.claude import catalogue
from conversations.models import ListedModel
from conversations.services.notices import notify


def store_listing(rows: list[dict[str, object]]) -> None:
    """Replace the stored list. A model that is not listed any more is kept as retired."""
    with transaction.atomic(durable=True):
        listed = {row["id"]: row for row in rows}
        for gone in ListedModel.objects.exclude(pk__in=listed):
            listed[gone.pk] = {**gone.row, "lifecycle": "retired"}
        for id, row in listed.items():
            ListedModel.objects.update_or_create(pk=id, defaults={"row": row})
        notify("models")
    load_listing()


def load_listing() -> None:
    """Load the stored list into this process's catalogue."""
    catalogue.update_listing(list(ListedModel.objects.values_list("row", flat=True)))
