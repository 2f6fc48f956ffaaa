"""With connections cut at random, the client library folds the same answers as the server has stored."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from conversations.models import Turn
from extraction.models import Extraction
from tests.browser import SharedBrowser
from tests.client.runtimes import NODE, call_in_node, call_in_page
from tests.clients import Api
from tests.cutting_proxy import CuttingProxy
from tests.processes import ServerProcess

TRANSPORTS = ("websocket", "sse")
QUESTIONS = 4  # one of each kind


@pytest.fixture
def proxy(server: ServerProcess) -> Iterator[CuttingProxy]:
    """Provide a cutting proxy between the client and the server."""
    with CuttingProxy(server.port) as running:
        yield running


def options(proxy: CuttingProxy, api: Api, transport: str) -> dict[str, object]:
    return {"url": proxy.url, "token": api.token, "transport": transport, "questions": QUESTIONS}


@pytest.mark.skipif(NODE is None, reason="there is no Node")
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_nothing_is_lost_or_doubled_in_node(proxy: CuttingProxy, api: Api, transport: str) -> None:
    proxy.cutting = True
    assert call_in_node("disconnects.js", "run", options(proxy, api, transport)) == []
    assert proxy.cuts > 3
    assert Turn.objects.filter(user=api.user).count() == QUESTIONS  # however often each was sent
    assert Extraction.objects.filter(owner=api.user).count() == 1


def test_nothing_is_lost_or_doubled_in_a_browser(proxy: CuttingProxy, api: Api, shared_browser: SharedBrowser) -> None:
    with shared_browser.used() as chromium, chromium.new_page() as page:
        for transport in TRANSPORTS:
            proxy.cutting, proxy.cuts = False, 0
            page.goto(f"{proxy.url}/healthz")
            page.evaluate("import('/static/conversations/client.js')")
            proxy.cutting = True
            assert call_in_page(page, "disconnects.js", "run", options(proxy, api, transport)) == []
            assert proxy.cuts > 3
    assert Turn.objects.filter(user=api.user).count() == QUESTIONS * len(TRANSPORTS)
