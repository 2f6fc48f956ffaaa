"""A process caches a token's authentication for a moment; revoking the token takes effect all the same."""

from __future__ import annotations

import asyncio
import threading
import time
import uuid

import pytest
from knox.crypto import hash_token
from knox.models import AuthToken

from conversations.models import User
from conversations.services.accounts import accounts
from conversations.services.accounts.remembered_tokens import LONG_MEMORY, RememberedTokens, ValidToken, find


class Process:
    """A stub of a process that receives notifications of revoked tokens, or does not."""

    hearing = True


def new_token() -> tuple[User, str]:
    """Create a user with a token; return the user and the token's digest."""
    user = User.objects.create(username=f"remembered-{uuid.uuid4().hex[:12]}")
    return user, hash_token(accounts.issue_token(user=user)[1])


def deactivate(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)  # without a signal, as another process does it


@pytest.fixture
def tokens(database: str) -> RememberedTokens:
    return RememberedTokens(Process())


def test_a_token_that_was_seen_is_not_looked_up_again(tokens: RememberedTokens) -> None:
    user, digest = new_token()
    found = tokens.find(digest)
    deactivate(user)
    assert found is not None
    assert tokens.find(digest) is found


def test_those_who_check_it_themselves_remember_it_for_longer(tokens: RememberedTokens) -> None:
    user, digest = new_token()
    found = tokens.find(digest)
    deactivate(user)
    assert tokens.find(digest, memory=LONG_MEMORY) is found
    assert tokens.find(digest, memory=0) is None
    assert tokens.find(digest, memory=LONG_MEMORY) is None


def test_a_token_is_forgotten_with_the_news_of_its_user_and_no_other(tokens: RememberedTokens) -> None:
    (user, first), (_, second) = new_token(), new_token()
    kept = tokens.find(second)
    assert tokens.find(first) is not None
    deactivate(user)
    tokens.forget([user.pk, uuid.uuid4()])
    assert tokens.find(first) is None
    assert tokens.find(second) is kept


def test_what_is_changed_in_the_process_itself_is_known_at_once(tokens: RememberedTokens) -> None:
    user, digest = new_token()
    found = tokens.find(digest)
    assert found is not None
    user.first_name = "Ada"
    user.save()
    renamed = tokens.find(digest)
    assert renamed is not None
    person, token = renamed.instances()
    assert (person.first_name, token.user) == ("Ada", person)
    token.delete()
    assert tokens.find(digest) is None


def test_nothing_is_remembered_that_was_read_before_the_news_came(database: str) -> None:
    user, digest = new_token()

    def look(digest: str) -> ValidToken | None:
        found = find(digest)
        deactivate(user)
        slow.forget([user.pk])
        return found

    slow = RememberedTokens(Process(), look)
    assert slow.find(digest) is not None
    assert slow.find(digest) is None


async def test_those_who_ask_at_the_same_moment_share_one_look() -> None:
    looks: list[str] = []
    token = ValidToken((), (), 60.0)

    def look(digest: str) -> ValidToken | None:
        looks.append(digest)
        return token if digest == "known" else None

    tokens = RememberedTokens(Process(), look)
    found = await asyncio.gather(*(tokens.find_together(digest) for digest in ["known", "unknown", "known"]))
    assert found == [token, None, token]
    assert sorted(looks) == ["known", "unknown"]
    assert await tokens.find_together("known") is token
    assert len(looks) == 2


async def test_who_asks_after_an_end_does_not_share_a_look_from_before() -> None:
    valid = [ValidToken((), (), 60.0)]
    has_begun, may_end = threading.Event(), threading.Event()

    def look(digest: str) -> ValidToken | None:
        found = valid[0] if valid else None
        has_begun.set()
        may_end.wait(10)
        return found

    tokens = RememberedTokens(Process(), look)
    before = asyncio.create_task(tokens.find_together("ended"))
    await asyncio.to_thread(has_begun.wait, 10)
    valid.clear()
    tokens.forget_all()
    after = asyncio.create_task(tokens.find_together("ended"))
    await asyncio.sleep(0)
    may_end.set()
    assert [await before is None, await after is None] == [False, True]


def test_nothing_is_remembered_by_a_process_that_does_not_hear(database: str) -> None:
    process = Process()
    tokens = RememberedTokens(process)
    user, digest = new_token()
    assert tokens.find(digest) is not None
    process.hearing = False
    deactivate(user)
    assert tokens.find(digest) is None


def test_a_token_is_not_remembered_for_longer_than_it_is_valid(tokens: RememberedTokens) -> None:
    user, digest = new_token()
    AuthToken.objects.filter(user=user).update(expiry=user.date_joined.replace(year=2020))
    assert tokens.find(digest) is None
    soon = time.time() + 0.3
    AuthToken.objects.filter(user=user).update(expiry=user.date_joined.fromtimestamp(soon, tz=user.date_joined.tzinfo))
    while tokens.find(digest):
        assert time.time() < soon + 5
