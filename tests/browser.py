"""A real browser. `COLLOQUY_BROWSER` names one; without, the usual places are looked at.

Most of what starting one costs is saved by having one for a whole run (`shared`), and pages of contexts that have been
used before (`unused_context`).
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

# The first has no windows to draw: a page in it takes half the processor's time.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
# Nothing is asked of anybody but the page's own server; a container's root has no sandbox.
# What draws does it in the browser's process: nothing is handed on to another.
ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--in-process-gpu"),
    *("--disable-background-networking", "--disable-component-update"),
)


def found() -> str | None:
    """Where it is."""
    return os.environ.get("COLLOQUY_BROWSER") or next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def launched() -> Iterator[Browser]:
    """It, while it runs."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found(), args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


class SharedBrowser:
    """A browser that runs while other things are done in this thread, too.

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
    """Launch a browser that is used now and then, and close it at the end."""
    with launched() as chromium:
        loop = asyncio.get_running_loop()
        asyncio._set_running_loop(None)
        try:
            yield SharedBrowser(chromium, loop)
        finally:
            asyncio._set_running_loop(loop)


def unused_context(chromium: Browser) -> BrowserContext:
    """Return a context of the browser in which no page is open but the blank one that keeps its process alive.

    It has the caches of those who used it before, but not their cookies, and opens pages in half the time that a new
    one takes.
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
    """Have the page be light or dark, and wait until it is; not for what moves for as long as an answer comes."""
    page.emulate_media(color_scheme=scheme)
    page.evaluate(SETTLED)


COLOURS = ("color-contrast", "link-in-text-block")
"""The rules whose outcome depends on whether a page is light or dark."""


def hindrances(page: Page, within: str = "html", rules: Sequence[str] = ()) -> list[tuple[str, list[str]]]:
    """Return the rules that a page breaks so that some people can hardly use it, each with the elements that do.

    `within` selects what is looked at. Without `rules`, all are looked at.
    """
    if page.evaluate("!window.axe"):
        page.evaluate(axe())
    options = {"resultTypes": ["violations"], **({"runOnly": {"type": "rule", "values": rules}} if rules else {})}
    found = page.evaluate("([within, options]) => axe.run(within, options)", [within, options])["violations"]
    serious = [each for each in found if each["impact"] in ("serious", "critical")]
    return [(each["id"], [node["html"] for node in each["nodes"]]) for each in serious]
