"""How smoothly a long conversation scrolls: part of `python -m tests.benchmarks.page`.

The conversation resembles real ones: short questions, answers in Markdown of several paragraphs with lists, tables,
code and formulae. The benchmark scrolls upwards at a steady speed, faster than anybody reads, from the newest message
to the first one. Any movement in the other direction counts as a jump.
"""

from __future__ import annotations

import random
import statistics
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import CDPSession, Page

    from tests.front.visiting import Visitor

FRAMES = """
window.watched = { frames: [], moves: [], shift: 0, tasks: [] };
new PerformanceObserver((list) => {
    for (const { value } of list.getEntries()) watched.shift += value;
}).observe({ type: "layout-shift" });
new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) watched.tasks.push(duration);
}).observe({ type: "longtask" });
let before = performance.now(), message, top;
function move() {
    const now = message?.getBoundingClientRect().top;
    if (message) watched.moves.push(now - top);
    if (!message || now > innerHeight / 2) message = document.elementFromPoint(700, 120)?.closest(".message");
    top = message?.getBoundingClientRect().top;
}
requestAnimationFrame(function next(now) {
    watched.frames.push(now - before);
    before = now;
    move();
    requestAnimationFrame(next);
});
"""
AT_FIRST = "document.querySelector('.older').hidden && document.querySelector('#scroller').scrollTop === 0"
STROKE = 20_000  # pixels scrolled between two checks whether the top is reached
MIDDLE = {"x": 700, "y": 300}  # of the messages, in pixels of the window

SENTENCES = (
    "The **first** run reads every row, the second one only what has changed since.",
    "That is why `updated_at` has an index, and why it is set by the database's clock.",
    "A lease of *ten seconds* is enough, as [the documentation](https://example.com/leases) explains.",
    "If two processes ask at once, the slower one finds that there is nothing left to do, and goes back to sleep.",
    "東京の会議資料を確認してください。",
    "Whether $O(n \\log n)$ or $O(n)$, the constant decides at this size.",
)
CODE = '''```python
def claim(self, now: datetime) -> list[Job]:
    """Take what nobody has."""
    free = self.jobs.filter(lease__lt=now).order_by("id")[: self.limit]
    for job in free:
        job.lease = now + timedelta(seconds=10)  # renewed by a heartbeat
    return [job for job in free if job.save(update_fields=["lease"])]
```'''
TABLE = """| step | before | after |
|---|--:|--:|
| read | 12 ms | 3 ms |
| write | 40 ms | 38 ms |
| commit | 9 ms | 9 ms |"""
FORMULA = r"$$\int_0^1 x^2\,dx = \frac{1}{3}$$"
LIST = "- reads of what is new\n- writes in groups\n  - each of one transaction\n- a look every second"
PARTS = (CODE, TABLE, LIST, LIST, FORMULA, "## What follows", "> It was faster before.")


def question_or_answer(at: int) -> str:
    """Return the text of a message by its number: even ones are questions. The text depends on the number only."""
    chance = random.Random(at)
    if at % 2 == 0:
        return f"Question {at + 1}: {' '.join(chance.choices(SENTENCES, k=chance.choice((1, 1, 2, 6))))}"
    paragraphs = [" ".join(chance.choices(SENTENCES, k=chance.randint(1, 5))) for _ in range(chance.randint(1, 5))]
    mixed = paragraphs + chance.choices(PARTS, k=chance.randint(0, 4))
    chance.shuffle(mixed)
    return f"Answer {at + 1}.\n\n" + "\n\n".join(mixed)


def scrolled(visitor: Visitor, messages: int, speed: int, slowdown: float) -> dict[str, float]:
    """Return how a conversation of so many messages scrolls, at a speed in pixels per second.

    `slowdown` throttles the browser's CPU by that factor. Times are in milliseconds, memory in MB.
    """
    from tests.front.visiting import long_conversation

    conversation = long_conversation(visitor.user, messages, question_or_answer)
    page = visitor.tab(f"/c/{conversation.pk}/")
    page.locator(".message").first.wait_for()
    page.wait_for_timeout(1000)
    browser = page.context.new_cdp_session(page)
    browser.send("Emulation.setCPUThrottlingRate", {"rate": slowdown})
    page.evaluate(FRAMES)
    while not page.evaluate(AT_FIRST):
        turn_wheel(browser, speed)
    figures = {**of_frames(page.evaluate("window.watched")), **memory(browser), "messages": shown(page)}
    page.close()
    return figures


def turn_wheel(browser: CDPSession, speed: int) -> None:
    """Scroll upwards for a while, by mouse wheel events."""
    gesture = {**MIDDLE, "yDistance": STROKE, "speed": speed, "gestureSourceType": "mouse"}
    browser.send("Input.synthesizeScrollGesture", gesture)


def of_frames(watched: dict[str, Any]) -> dict[str, float]:
    """Compute the figures from what the page recorded while it was scrolled."""
    frames = watched["frames"]
    return {
        "frames": len(frames),
        "p50": statistics.median(frames),
        "p99": statistics.quantiles(frames, n=100)[98],
        "slowest": max(frames),
        "long tasks": len(watched["tasks"]),
        "longest task": max(watched["tasks"], default=0.0),
        "layout shift": watched["shift"],
        "moved back, px": -min(watched["moves"]),
        "moved at most, px": max(watched["moves"]),
    }


def memory(browser: CDPSession) -> dict[str, float]:
    """Return the memory of the page's objects in MB, and its number of nodes."""
    browser.send("Performance.enable")
    metrics = {each["name"]: each["value"] for each in browser.send("Performance.getMetrics")["metrics"]}
    return {"heap MB": metrics["JSHeapUsedSize"] / 2**20, "nodes": metrics["Nodes"]}


def shown(page: Page) -> int:
    """Return the number of messages on the page."""
    return page.locator(".message").count()
