"""A real browser for tests: the one that `COLLOQUY_BROWSER` names, or one that is found in PATH.

Since starting a browser is slow, one serves a whole run (`shared`), and its contexts are reused (`unused_context`).
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.contract.generators import axe

# The headless shell comes first: it draws no windows, and takes half the CPU time.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
# No requests to other hosts than the page's server; the sandbox does not work for root in a container.
# Drawing in the browser's own process saves the transfer to a GPU process.
ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--in-process-gpu"),
    *("--disable-background-networking", "--disable-component-update"),
)


def found() -> str | None:
    """Return the path of the browser, or None."""
    return os.environ.get("COLLOQUY_BROWSER") or next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def launched() -> Iterator[Browser]:
    """Run a browser, and close it at the end."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found(), args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


class SharedBrowser:
    """A browser for code that also uses Django or another event loop in the same thread.

    Playwright leaves its event loop set as the thread's running one. With that, Django refuses to work, and no other
    loop can run: it is set only while the browser is used.
    """

    def __init__(self, chromium: Browser, loop: asyncio.AbstractEventLoop) -> None:
        self._chromium = chromium
        self._loop = loop

    @contextmanager
    def used(self) -> Iterator[Browser]:
        """Yield the browser, with Playwright's event loop as the running one."""
        asyncio._set_running_loop(self._loop)
        try:
            yield self._chromium
        finally:
            asyncio._set_running_loop(None)


@contextmanager
def shared() -> Iterator[SharedBrowser]:
    """Run a browser for occasional use, and close it at the end."""
    with launched() as chromium:
        loop = asyncio.get_running_loop()
        asyncio._set_running_loop(None)
        try:
            yield SharedBrowser(chromium, loop)
        finally:
            asyncio._set_running_loop(loop)


def unused_context(chromium: Browser) -> BrowserContext:
    """Return a browser context without cookies, in which only the blank page is open that keeps its process alive.

    It keeps the caches of its earlier users, but not their cookies, and opens pages in half the time of a new context.
    """
    unused = next((context for context in chromium.contexts if len(context.pages) == 1), None)
    if unused is None:
        unused = chromium.new_context()
        unused.new_page()
    unused.clear_cookies()
    return unused


SETTLED = """() => {
    const ends = ({ effect }) => effect.getComputedTiming().endTime !== Infinity;
    return Promise.all(document.getAnimations().filter(ends).map((each) => each.finished.catch(() => {})));
}"""


def show_in(page: Page, scheme: Any) -> None:
    """Set the page's colour scheme, and wait until it is drawn, except for animations of a running answer."""
    page.emulate_media(color_scheme=scheme)
    page.evaluate(SETTLED)


COLOURS = ("color-contrast", "link-in-text-block")
"""The rules whose results depend on the colour scheme."""


def hindrances(page: Page, within: str = "html", rules: Sequence[str] = ()) -> list[tuple[str, list[str]]]:
    """Return the accessibility rules that a page breaks, each with the elements that break it.

    `within` selects the part of the page to check. Without `rules`, all rules are checked.
    """
    if page.evaluate("!window.axe"):
        page.evaluate(axe())
    options = {"resultTypes": ["violations"], **({"runOnly": {"type": "rule", "values": rules}} if rules else {})}
    found = page.evaluate("([within, options]) => axe.run(within, options)", [within, options])["violations"]
    serious = [each for each in found if each["impact"] in ("serious", "critical")]
    return [(each["id"], [node["html"] for node in each["nodes"]]) for each in serious]
