"""Fixtures of the admin's tests: a staff user, and their HTTP clients."""

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
    """Provide a staff user who may see everything."""
    return User.objects.create_superuser(f"reviewer-{uuid.uuid4().hex[:8]}")


@pytest.fixture
def staff(reviewer: User) -> Client:
    """Provide Django's test client, logged in as the reviewer."""
    client = Client()
    client.force_login(reviewer)
    return client


@pytest.fixture
def download(staff: Client, server: ServerProcess) -> Iterator[httpx2.Client]:
    """Provide an HTTP client of a real server, logged in as the reviewer: a real server streams its files."""
    session = {"sessionid": staff.cookies["sessionid"].value}
    with clients.client(base_url=server.url, cookies=session) as client:
        yield client
