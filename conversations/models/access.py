"""Access control: the only way to rows that belong to a user, or to a conversation that may be shared."""

from __future__ import annotations

import uuid
from enum import StrEnum
from typing import Any, Self, TypeAlias, TypeVar

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F, Func
from django.db.models.sql.compiler import SQLCompiler

from conversations.errors import NotFound

ModelT = TypeVar("ModelT", bound=models.Model)


Viewer: TypeAlias = AbstractBaseUser | AnonymousUser
"""A user who requests rows, authenticated or not."""


class Right(StrEnum):
    """A permission in a conversation and everything in it. Each right includes those before it."""

    READ = "read"
    """Read, follow, export and fork the conversation."""
    WRITE = "write"
    """Begin, continue and stop turns, submit tool results, choose the active leaf."""
    OWN = "own"
    """Change the conversation's settings, delete it, share it."""


ROLES = {Right.READ: ("reader", "writer"), Right.WRITE: ("writer",), Right.OWN: ()}
"""The roles of shares that give a right; the owner has all rights."""


def open_condition(*, conversation: str, owner: str, user: str, right: Right) -> str:
    """Return the SQL condition under which a user has a right in a conversation.

    `conversation`, `owner` and `user` are the SQL expressions of ids. For the owner, no share is looked up.
    """
    if not ROLES[right]:
        return f"{owner} = {user}"
    roles = ", ".join(f"'{role}'" for role in ROLES[right])
    groups = f"SELECT member.group_id FROM conversations_user_groups AS member WHERE member.user_id = {user}"  # noqa: S608
    return f"""({owner} = {user} OR EXISTS (
        SELECT FROM conversations_share AS share
        WHERE share.conversation_id = {conversation} AND share.role IN ({roles})
            AND (share.user_id = {user} OR share.group_id IN ({groups}))
    ))"""


SHARED_WITH = """
SELECT conversation_id, role FROM conversations_share WHERE user_id = {user}
UNION ALL
SELECT share.conversation_id, share.role
FROM conversations_user_groups AS member JOIN conversations_share AS share ON share.group_id = member.group_id
WHERE member.user_id = {user}
"""
"""SQL of the conversations shared with a user, directly or by a group: a conversation may occur more than once."""


class IsOpen(Func):
    """`open_condition` for the ORM; `path` leads from a row to its conversation: empty, or with `__` at its end."""

    output_field = models.BooleanField()

    def __init__(self, path: str, user: uuid.UUID, right: Right) -> None:
        super().__init__(F(f"{path}pk"), F(f"{path}owner"))
        self._user, self._right = user, right

    def as_sql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, *args: Any, **context: Any
    ) -> tuple[str, tuple[Any, ...]]:
        """Return the condition and its parameters."""
        conversation, owner = (compiler.compile(each)[0] for each in self.get_source_expressions())
        sql = open_condition(conversation=conversation, owner=owner, user="%s", right=self._right)
        return sql, (self._user,) * sql.count("%s")


class KeyedQuerySet(models.QuerySet[ModelT]):
    """Rows that are found by the ids that clients give."""

    def get_by_id(self, id: object) -> ModelT:
        """Return the row with an id. Another user's, a missing and a malformed id are the same `NotFound`."""
        try:
            return self.get(pk=self.key(id))
        except ObjectDoesNotExist:
            raise self.not_found() from None

    def key(self, id: object) -> Any:
        """Convert an id to the type of these rows' keys.

        Raises NotFound for what can be none, and for another way to write one: a path has one form.
        """
        try:
            key = self.model._meta.pk.to_python(id)
        except (ValidationError, ValueError, TypeError):
            raise self.not_found() from None
        if str(key) != str(id).lower():
            raise self.not_found()
        return key

    def not_found(self) -> NotFound:
        """Return the error for a row that does not exist, or is not visible."""
        return NotFound(f"There is no {self.model._meta.verbose_name} with this id, or it is not yours.")


class OwnedQuerySet(KeyedQuerySet[ModelT]):
    """Rows that belong to a user, by the field in the model's `OWNER`."""

    def visible_to(self, user: Viewer) -> Self:
        """Return the rows that this user may see: their own."""
        if isinstance(user, AnonymousUser):
            return self.none()
        owner: str = self.model.OWNER  # type: ignore[attr-defined]
        return self.filter(**{owner: user})

    def get_visible(self, user: Viewer, id: object) -> ModelT:
        """Return the user's row with an id. Raises NotFound."""
        return self.visible_to(user).get_by_id(id)


class SharedQuerySet(KeyedQuerySet[ModelT]):
    """Conversations, and rows that belong to one: the model's `CONVERSATION` is the path to it, as for `IsOpen`."""

    def open_to(self, user: Viewer, right: Right) -> Self:
        """Return the rows in whose conversations a user has a right, as the owner or by a share."""
        if isinstance(user, AnonymousUser):
            return self.none()
        path: str = self.model.CONVERSATION  # type: ignore[attr-defined]
        if right is Right.OWN:
            return self.filter(**{f"{path}owner": user})
        return self.filter(IsOpen(path, user.pk, right))

    def get_open(self, user: Viewer, id: object, right: Right) -> ModelT:
        """Return the row with an id, if the user has the right in its conversation. Raises NotFound otherwise."""
        return self.open_to(user, right).get_by_id(id)
