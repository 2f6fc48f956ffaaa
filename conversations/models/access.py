"""The one way to a user's rows."""

from __future__ import annotations

from typing import Any, Self, TypeAlias, TypeVar

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import models

from conversations.errors import NotFound

ModelT = TypeVar("ModelT", bound=models.Model)


Viewer: TypeAlias = AbstractBaseUser | AnonymousUser
"""Whoever asks for rows, let in or not."""


class OwnedQuerySet(models.QuerySet[ModelT]):
    """Rows that belong to a user, by the field that `OWNER` of the model names."""

    def visible_to(self, user: Viewer) -> Self:
        """Return the rows that this user may see: their own."""
        if isinstance(user, AnonymousUser):
            return self.none()
        owner: str = self.model.OWNER  # type: ignore[attr-defined]
        return self.filter(**{owner: user})

    def get_visible(self, user: Viewer, id: object) -> ModelT:
        """Return the row with this id. Another's, a missing one and a malformed id are the same `NotFound`."""
        try:
            return self.visible_to(user).get(pk=self.key(id))
        except ObjectDoesNotExist:
            raise self._not_found() from None

    def key(self, id: object) -> Any:
        """Return an id of these rows as they have it.

        Raises NotFound for what can be none, and for another way to write one: a path has one form.
        """
        try:
            key = self.model._meta.pk.to_python(id)
        except (ValidationError, ValueError, TypeError):
            raise self._not_found() from None
        if str(key) != str(id).lower():
            raise self._not_found()
        return key

    def _not_found(self) -> NotFound:
        return NotFound(f"There is no {self.model._meta.verbose_name} with this id, or it is not yours.")
