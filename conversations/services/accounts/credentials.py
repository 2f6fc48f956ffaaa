"""Credentials of users: tokens and sessions. Either may be revoked while something is open with it."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from django.db import connection
from knox.models import AuthToken

from conversations.errors import NotAuthenticated
from conversations.models import User

T = TypeVar("T")

# The condition under which a credential is valid, for a row `asked` with the fields of `Credential`. A session is bound
# to the password with which it began, like Django's own sessions.
LETS_IN = """
EXISTS (
    SELECT FROM conversations_user AS person
    LEFT JOIN knox_authtoken AS token ON token.digest = asked.token AND token.user_id = person.id
        AND (token.expiry IS NULL OR token.expiry > now())
    LEFT JOIN django_session AS session ON session.session_key = asked.session AND session.expire_date > now()
        AND asked.password = encode(sha256(convert_to(person.password, 'UTF8')), 'hex')
    WHERE person.id = asked."user" AND person.is_active
        AND (token.digest IS NOT NULL OR session.session_key IS NOT NULL)
)
"""

VALID = f"""
SELECT asked.place
FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[])
    WITH ORDINALITY AS asked("user", token, session, password, place)
WHERE {LETS_IN}
"""  # noqa: S608 - ours


@dataclass(frozen=True)
class Credential:
    """The credential of a user: the digest of a token, or the key of a session."""

    user: uuid.UUID
    token: str = ""
    session: str = ""
    password: str = ""
    """A digest of the password's hash when the session was looked at."""

    @classmethod
    def of_token(cls, token: AuthToken) -> Credential:
        """Return the credential of a token."""
        return cls(token.user_id, token=token.digest)

    @classmethod
    def of_session(cls, user: User, key: str) -> Credential:
        """Return the credential of a user's session with this key."""
        return cls(user.pk, session=key, password=hashlib.sha256(user.password.encode()).hexdigest())


def revoked(credentials: Iterable[Credential]) -> set[Credential]:
    """Return those of the credentials that were revoked, by one statement and the database's clock.

    These are credentials whose token or session is deleted or has expired, or whose user is deactivated or deleted, and
    sessions from before a change of the password. (A change of the password deletes the user's tokens.)
    """
    asked = list(credentials)
    columns = [[getattr(each, name) for each in asked] for name in ("user", "token", "session", "password")]
    with connection.cursor() as cursor:
        cursor.execute(VALID, columns)
        valid = {asked[place - 1] for (place,) in cursor}
    return set(asked) - valid


def while_valid(credential: Credential, function: Callable[[], T]) -> T:
    """Call a function for a user who authenticated earlier. Raise NotAuthenticated if the credential is revoked."""
    if revoked([credential]):
        raise NotAuthenticated(NOT_ANY_MORE)
    return function()


NOT_ANY_MORE = "These credentials are not valid any more: log in again."
