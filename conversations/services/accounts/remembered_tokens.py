"""Bearer tokens: looked up by one statement, and cached while the process receives notifications of their end."""

from __future__ import annotations

import asyncio
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import NamedTuple, Protocol

from django.db import transaction
from django.db.models import Model
from django.db.models.signals import post_delete, post_save
from knox.models import AuthToken

from conversations.database import in_database, prepared
from conversations.models import User

MEMORY = 5.0  # seconds: the longest after which the end of a token takes effect, should the news of it be lost
LONG_MEMORY = 600.0  # seconds for those who check in the database, with what they do, that the token is still valid
MOST = 10_000  # tokens that are remembered


class ValidToken(NamedTuple):
    """The rows of a valid token and its user, as they were at one moment."""

    token: Sequence[object]
    user: Sequence[object]
    lasts: float
    """Seconds for which the token is valid; `LONG_MEMORY` at most."""

    def instances(self) -> tuple[User, AuthToken]:
        """Return the rows as new model instances."""
        user, token = (
            User.from_db(None, _names(User), self.user),
            AuthToken.from_db(None, _names(AuthToken), self.token),
        )
        token.user = user
        return user, token


class Hearing(Protocol):
    """Tells whether the process receives the database's notifications."""

    hearing: bool


def find(digest: str) -> ValidToken | None:
    """Return the token with this digest; None if it is unknown or expired, or its user is deactivated.

    By the database's clock, in one statement.
    """
    rows = prepared(_find(), {"digest": digest, "memory": LONG_MEMORY})
    if not rows:
        return None
    length = len(_names(AuthToken))
    [[*columns, lasts]] = rows
    return ValidToken(columns[:length], columns[length:], lasts)


class RememberedTokens:
    """A cache of valid tokens. Thread-safe.

    Nothing is cached while the process does not receive notifications: it would not learn of revoked tokens.
    """

    def __init__(self, wakes: Hearing, look: Callable[[str], ValidToken | None] = find) -> None:
        self._wakes = wakes
        self._look = look
        self._lock = threading.Lock()
        self._known: dict[str, tuple[ValidToken, float]] = {}
        """Each token, and when it was looked up, in seconds of this process's clock."""
        self._changes = 0
        """The number of invalidations: results that were read before one are not cached after it."""
        self._looks: dict[tuple[str, int], asyncio.Task[ValidToken | None]] = {}
        """Running look-ups, for which several callers may wait, each with the number of changes when it began."""
        # Changes by this process itself take effect before their notification arrives.
        post_delete.connect(self._token_deleted, sender=AuthToken)
        post_save.connect(self._user_saved, sender=User)

    def find(self, digest: str, memory: float = MEMORY) -> ValidToken | None:
        """Return a token as `find` does, without a statement if it was looked up less than `memory` seconds ago."""
        known = self._remembered(digest, memory)
        if known:
            return known
        changes, asked_at = self._changes, time.monotonic()
        found = self._look(digest)
        with self._lock:
            self._known.pop(digest, None)
            if found and self._wakes.hearing and changes == self._changes:
                self._make_room()
                self._known[digest] = found, asked_at
        return found

    async def find_together(self, digest: str) -> ValidToken | None:
        """Return a token as `find` does, without blocking a thread: concurrent callers share one look-up."""
        known = self._remembered(digest, MEMORY)
        if known:
            return known
        asked = digest, self._changes  # who asks after it was forgotten does not share a look from before
        if asked not in self._looks:
            look = self._looks[asked] = asyncio.create_task(in_database(self.find, digest))
            look.add_done_callback(lambda _: self._looks.pop(asked))
        return await asyncio.shield(self._looks[asked])

    def _remembered(self, digest: str, memory: float) -> ValidToken | None:
        known, seen = self._known.get(digest, (None, 0.0))
        lasts = known is not None and self._wakes.hearing and time.monotonic() < seen + min(memory, known.lasts)
        return known if lasts else None

    def forget(self, users: list[uuid.UUID]) -> None:
        """Drop the tokens of users who have changed, or whose access has ended."""
        with self._lock:
            self._changes += 1
            place = _names(User).index("id")
            self._known = {digest: each for digest, each in self._known.items() if each[0].user[place] not in users}

    def forget_all(self) -> None:
        """Drop all tokens: notifications may have been missed."""
        with self._lock:
            self._changes += 1
            self._known = {}

    def _token_deleted(self, instance: AuthToken, **kwargs: object) -> None:
        transaction.on_commit(partial(self.forget, [instance.user_id]))

    def _user_saved(self, instance: User, **kwargs: object) -> None:
        transaction.on_commit(partial(self.forget, [instance.pk]))

    def _make_room(self) -> None:
        if len(self._known) >= MOST:
            now = time.monotonic()
            fresh = {digest: each for digest, each in self._known.items() if now < each[1] + MEMORY}
            self._known = fresh if len(fresh) < MOST else {}


@cache
def _names(model: type[Model]) -> list[str]:
    return [each.attname for each in model._meta.concrete_fields]


@cache
def _find() -> str:
    columns = [f'token."{name}"' for name in _names(AuthToken)] + [f'person."{name}"' for name in _names(User)]
    return f"""
        SELECT {", ".join(columns)},
            least(%(memory)s, coalesce(extract(epoch FROM token.expiry - now()), %(memory)s))::float
        FROM knox_authtoken AS token JOIN conversations_user AS person ON person.id = token.user_id
        WHERE token.digest = %(digest)s AND person.is_active AND (token.expiry IS NULL OR token.expiry > now())
    """  # noqa: S608 - the models' own names
