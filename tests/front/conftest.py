"""One browser for the tests of a file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connections
from playwright.sync_api import Browser

from tests import browser
from tests.front.visiting import Visitor
from tests.processes import ServerProcess


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Run a browser, if there is one. Playwright keeps a loop in this thread, in which Django would refuse to work."""
    if browser.found() is None:
        pytest.skip("there is no Chromium here (COLLOQUY_BROWSER)")
    with pytest.MonkeyPatch.context() as environment, browser.launched() as running:
        environment.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield running
        connections.close_all()  # those of that loop, which nobody else would close


@pytest.fixture
def visitor(chromium: Browser, uvicorn_server: ServerProcess) -> Iterator[Visitor]:
    """A new user at the page, about whom nothing is complained in the end."""
    with Visitor(chromium, uvicorn_server.url) as here:
        yield here
        assert here.complaints == []
