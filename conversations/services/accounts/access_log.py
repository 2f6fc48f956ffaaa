"""Noting who of the staff opens what is another's."""

from __future__ import annotations

from django.db import models

from conversations.models import Opening, User


def note_opening(*, staff: User, owner: User, opened: models.Model) -> None:
    """Note that one of the staff opens what belongs to another user, before it is shown."""
    if owner.pk != staff.pk:
        kind = str(opened._meta.model_name)
        Opening.objects.create(owner=owner, staff=staff.get_username(), kind=kind, object=str(opened.pk))
