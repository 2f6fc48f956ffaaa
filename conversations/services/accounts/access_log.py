"""Recording when staff open another user's data."""

from __future__ import annotations

from django.db import models

from conversations.models import Opening, User


def note_opening(*, staff: User, owner: User, opened: models.Model) -> None:
    """Record that a staff user opens another user's data, before it is shown."""
    if owner.pk != staff.pk:
        kind = str(opened._meta.model_name)
        Opening.objects.create(owner=owner, staff=staff.get_username(), kind=kind, object=str(opened.pk))
