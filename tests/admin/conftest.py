"""The staff."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import httpx2
import pytest
from django.test import Client

from conversations.models import User
from tests import clients
from tests.processes import ServerProcess


@pytest.fixture
def reviewer(database: str) -> User:
    """One of the staff who may see everything."""
    return User.objects.create_superuser(f"reviewer-{uuid.uuid4().hex[:8]}")


@pytest.fixture
def staff(reviewer: User) -> Client:
    """Their browser, as far as a page without scripts needs one."""
    client = Client()
    client.force_login(reviewer)
    return client


@pytest.fixture
def download(staff: Client, server: ServerProcess) -> Iterator[httpx2.Client]:
    """The same at a real server, which sends files as they are made."""
    session = {"sessionid": staff.cookies["sessionid"].value}
    with clients.client(base_url=server.url, cookies=session) as client:
        yield client
