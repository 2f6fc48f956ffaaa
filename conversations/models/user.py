from __future__ import annotations

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import AbstractUser
from django.db import connection, models, transaction

from conversations.fields import uuid7


class User(AbstractUser):
    """Django's user with a UUIDv7 key."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)

    def check_password(self, raw_password: str | None) -> bool:
        """Return whether this is the user's password. An outdated hash is replaced.

        The password stays the same, so that nobody is logged out by it: see the trigger `password_is_changed`.
        """
        return check_password(raw_password, self.password, self._replace_hash)

    def _replace_hash(self, raw_password: str) -> None:
        mine = User.objects.filter(pk=self.pk, password=self.password)
        self.password = make_password(raw_password)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL colloquy.same_password = 'on'")
            mine.update(password=self.password)
