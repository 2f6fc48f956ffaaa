"""How fast and stable the chat page is: `python -m tests.benchmarks.page`.

Opens it in Chromium at a warm server: empty, with a conversation of 5,000 messages, and while an answer of 5,000 words
streams. Prints first contentful paint, total blocking time (what tasks took beyond 50 ms each) and the sum of layout
shifts: of several `--runs` the medians. Then scrolls once through a long conversation, and prints what its frames took.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import tests.environment  # noqa: F401 - before Django's settings are read

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.front.visiting import Visitor

WATCH = """
window.seen = { shift: 0, blocked: 0, longest: 0 };
new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.seen.shift += entry.value;
}).observe({ type: "layout-shift", buffered: true });
new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) {
        window.seen.blocked += duration - 50;
        window.seen.longest = Math.max(window.seen.longest, duration);
    }
}).observe({ type: "longtask", buffered: true });
"""
FIRST_PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN"
MESSAGES, WORDS = 5000, 5000
Figures = dict[str, float]


def main() -> int:
    """Print the figures of each page."""
    parser = argparse.ArgumentParser("python -m tests.benchmarks.page")
    parser.add_argument("--runs", type=int, default=5, help="of each page; 0: only scroll")
    parser.add_argument("--messages", type=int, default=MESSAGES, help="of the conversation that is scrolled through")
    parser.add_argument("--speed", type=int, default=8000, help="of scrolling, in pixels a second")
    parser.add_argument("--slowdown", type=float, default=1, help="how many times slower the browser's processor is")
    options = parser.parse_args()
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright keeps a loop in this thread

    from tests import browser
    from tests.benchmarks.given import prepared

    if browser.found() is None:
        print("There is no Chromium here (COLLOQUY_BROWSER).")
        return 1
    with prepared() as database:
        from conversations.sandbox.server import running_sandbox
        from tests.benchmarks.scrolling import scrolled
        from tests.front.visiting import Visitor
        from tests.processes import ServerProcess

        with (
            running_sandbox(pace=0.0) as sandbox,
            ServerProcess("uvicorn", database, sandbox.url) as server,
            browser.launched() as chromium,
            Visitor(chromium, server.url) as visitor,
        ):
            visitor.context.add_init_script(WATCH)
            for name, measure in PAGES.items() if options.runs else ():
                told([measure(visitor) for _ in range(options.runs + 1)][1:], name)  # the first warms it
            figures = scrolled(visitor, options.messages, options.speed, options.slowdown)
            told([figures], f"scrolling {options.messages:,} messages")
    return 0


def told(runs: list[Figures], name: str) -> None:
    """Print the medians of several runs."""
    medians = {each: statistics.median(run[each] for run in runs) for each in runs[0]}
    print(f"{name:38}", "  ".join(f"{each} {value:.4g}" for each, value in medians.items()), flush=True)


def loaded(visitor: Visitor, path: str, ready: str) -> Figures:
    """Open a page, and return its load times in milliseconds when the element `ready` is there."""
    page = visitor.tab(path)
    page.locator(ready).first.wait_for(state="attached")
    page.wait_for_timeout(500)
    figures = {"first paint": float(page.evaluate(FIRST_PAINT)), **seen(page)}
    page.close()
    return figures


def seen(page: Page) -> Figures:
    """Return the metrics that the browser has recorded so far."""
    found = page.evaluate("window.seen")
    return {
        "blocked": found["blocked"],
        "longest task": found["longest"],
        "layout shift": found["shift"],
    }


def empty(visitor: Visitor) -> Figures:
    """Measure the page without a conversation."""
    return loaded(visitor, "/", "body[data-ready]")


def long(visitor: Visitor) -> Figures:
    """Measure the page with a long conversation."""
    from conversations.models import Conversation
    from tests.benchmarks.scrolling import question_or_answer
    from tests.front.visiting import long_conversation

    known = Conversation.objects.filter(owner=visitor.user, title="A long one").first()
    conversation = known or long_conversation(visitor.user, MESSAGES, question_or_answer)
    return loaded(visitor, f"/c/{conversation.pk}/", ".message")


def streamed(words: int) -> Callable[[Visitor], Figures]:
    """Return a function that measures an answer of so many words while it streams."""

    def measure(visitor: Visitor) -> Figures:
        page = visitor.tab("/")
        page.locator("body[data-ready]").wait_for()
        page.wait_for_timeout(500)
        before = seen(page)
        visitor.ask(f"[[sandbox: words={words}; pace=0.001]]", page)
        page.locator(".about:not(:empty)").wait_for()
        after = seen(page)
        page.close()
        return {**{name: after[name] - before[name] for name in after}, "longest task": after["longest task"]}

    return measure


PAGES: dict[str, Callable[[Visitor], Figures]] = {
    "empty page": empty,
    f"conversation of {MESSAGES:,} messages": long,
    f"answer of {WORDS // 2:,} words": streamed(WORDS // 2),
    f"answer of {WORDS:,} words": streamed(WORDS),
}

if __name__ == "__main__":
    sys.exit(main())
