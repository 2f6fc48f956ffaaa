"""Fixtures of the chat page's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.clients import Api
from tests.front.visiting import Visitor
from tests.processes import ServerProcess


@pytest.fixture
def visitor(chromium: Browser, uvicorn_server: ServerProcess) -> Iterator[Visitor]:
    """Provide a new user with the chat page open; at the end the browser must have logged no errors."""
    with Visitor(chromium, uvicorn_server.url) as here:
        yield here
        assert here.complaints == []


@pytest.fixture
def newcomer(chromium: Browser, uvicorn_server: ServerProcess) -> Iterator[Visitor]:
    """Provide a new user with an empty page open; at the end the browser must have logged no errors."""
    with Visitor(chromium, uvicorn_server.url, path="") as here:
        yield here
        assert here.complaints == []


@pytest.fixture
def api(visitor: Visitor) -> Iterator[Api]:
    """Provide the visitor's own access to the API."""
    with Api(visitor.url, visitor.user) as client:
        yield client
