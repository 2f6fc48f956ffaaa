"""The page executes nothing from messages, works by keyboard alone, and renders well in any colour scheme and size.

With COLLOQUY_SCREENSHOTS screenshots are kept in that folder.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

from conversations.models import Budget
from tests import browser
from tests.clients import Api
from tests.front.visiting import Visitor
from tests.processes import ServerProcess

FOLDER = os.environ.get("COLLOQUY_SCREENSHOTS")
EVIL = """<img src=x onerror="window.evil = 1"> <script>window.evil = 1</script>
<svg onload="window.evil = 1"><a xlink:href="javascript:window.evil = 1">x</a></svg>
[a link](javascript:window.evil=1) [another](data:text/html,<script>window.evil=1</script>)
![a picture](https://elsewhere.example/spy.png "x\\" onerror=\\"window.evil=1")
<iframe srcdoc="<script>parent.evil = 1</script>"></iframe> <style>body { display: none }</style>
<form action="https://elsewhere.example"><input name="evil"></form> <math><mtext></mtext></math>
```html" onmouseover="window.evil=1
<script>window.evil = 1</script>
```
$\\href{javascript:window.evil=1}{x} \\htmlStyle{color: red}{x}$ <a href="https://elsewhere.example" style="color: red">
"""
RICH = r"""# Green tea

Tea is *steamed*: ~2 g in H~2~O.
Inline $E = mc^2$, [a page](https://example.com), ![a picture](https://elsewhere.example/x.png) and

$$\int_0^1 x^2\,dx = \frac{1}{3}$$

| kind | price |
|---|--:|
| green | $3 |

```python
def brew(tea: str) -> str:
    return f"a cup of {tea}"  # hot
```

- [x] Water
- [ ] Tea
"""


GROW = """async (steps) => {
    const main = document.querySelector("script[type=module]").src;
    const { GrowingMarkdown } = await import(new URL("growing_markdown.js", main));
    const place = document.createElement("div");
    const observer = new MutationObserver(() => {});
    observer.observe(place, { childList: true, subtree: true });
    const view = new GrowingMarkdown(place);
    for (let at = 0, text = ""; at < steps.length; at++) view.show(text += steps[at]);
    view.finish();
    const made = observer.takeRecords().reduce((sum, { addedNodes }) => sum + addedNodes.length, 0);
    return [made, [...place.children].map((each) => each.innerHTML).join("")];
}"""
PLAIN = """# Tea

It is *green*,
not [black][1].

- one
  - two
- three

1. a

2. b

| a | b |
|---|--:|
| 1 | 2 |

```
for (;;) {

}
```
and
~~~~
```
~~~
~~~~
> quoted

Title
-----

    code

[1]: https://example.com
"""


def saying(text: str) -> str:
    """Return a question that the sandbox answers with this text."""
    return f'[[sandbox: thinking="The user wants tea."; text={json.dumps(text)}]]'


def test_nothing_that_was_written_runs(visitor: Visitor, api: Api) -> None:
    page = visitor.page
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    conversation = api.conversation(title=EVIL[:400], tags=["<img src=x onerror='evil=1'>"])
    file = ("<img src=x onerror='window.evil=1'>.txt", b"sencha", "text/plain")
    attachment = api.http.post("/api/attachments/", files={"file": file}).json()["id"]
    document = {"type": "document", "title": file[0], "source": {"type": "attachment", "attachment": attachment}}
    api.ask([document, {"type": "text", "text": saying(EVIL)}], conversation)
    page.goto(f"{visitor.url}/c/{conversation}/")
    visitor.sees("window.evil")
    page.hover(".answer")
    page.fill("#search", "sencha evil")
    page.fill("#search", "evil")
    page.locator("#conversations mark").first.wait_for()
    page.set_input_files("input[type=file]", {"name": file[0], "mimeType": file[2], "buffer": file[1]})
    page.locator(".chip").wait_for()
    assert page.evaluate("window.evil") is None
    assert page.locator("#thread script, #thread iframe, #thread style, #thread [onerror]").count() == 0
    assert page.locator("#thread .body form").count() == 0
    assert page.locator("#thread a[href^='javascript'], #thread a[href^='data']").count() == 0
    assert {urlsplit(url).hostname for url in asked} <= {"127.0.0.1", None}


def test_the_policy_lets_nothing_else_in(visitor: Visitor) -> None:
    for path in ("/", "/login/", "/c/01a223f8-d5ee-73a6-b1db-5cac9cc31fea/"):
        policy = visitor.page.request.get(visitor.url + path, max_redirects=0).headers["content-security-policy"]
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
    assert visitor.page.locator("[style], script:not([src])").count() == 0


def test_the_keyboard_is_enough_for_a_conversation(visitor: Visitor) -> None:
    page = visitor.page
    page.locator("#question:focus").wait_for()
    page.keyboard.type("Hello")
    page.keyboard.press("Enter")
    visitor.sees("You said: Hello")
    page.locator("#stop").wait_for(state="hidden")
    page.keyboard.press("ArrowUp")
    page.locator(".editing textarea:focus").wait_for()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("Good morning")
    page.keyboard.press("Enter")
    visitor.sees("You said: Good morning")
    visitor.sees("2 / 2", ".question .siblings")
    reach(page, "[aria-label='Previous version']")
    page.keyboard.press("Enter")
    visitor.sees("You said: Hello")
    reach(page, "#more")
    page.keyboard.press("Enter")
    page.locator("[role=menuitem]:focus").wait_for()
    page.keyboard.press("Escape")
    page.locator("#more:focus").wait_for()
    page.keyboard.press("Control+Shift+O")
    page.locator("#question:focus").wait_for()
    assert page.url == f"{visitor.url}/"
    page.keyboard.press("Control+k")
    page.locator("#search:focus").wait_for()
    page.keyboard.press("ArrowDown")
    page.locator("#conversations a:focus").wait_for()
    page.keyboard.press("Enter")
    visitor.sees("You said: Hello")


def reach(page: Page, selector: str) -> None:
    """Press Tab until an element that matches the selector has the focus."""
    page.locator(selector).first.wait_for()
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"Tab does not reach {selector}")


def test_it_is_fit_for_everybody_in_any_light(visitor: Visitor) -> None:
    page = visitor.page
    Budget.objects.create(user=visitor.user, limit=5)
    visitor.asked_and_answered(saying(RICH))
    visitor.sees("of $5.00 left this month", "#budget")
    page.locator(".katex").first.wait_for()
    page.locator(".hljs-keyword").first.wait_for()
    page.locator("td[align=right]", has_text="$3").wait_for()
    assert page.locator(".answer input[type=checkbox]").count() == 2
    assert page.locator(".answer del").count() == 0
    check(page, "answer")
    page.set_viewport_size({"width": 390, "height": 800})
    page.click("#open-sidebar")
    page.locator("#sidebar:focus").wait_for()
    check(page, "phone")
    page.keyboard.press("Escape")
    page.locator("#open-sidebar:focus").wait_for()
    page.click("#more")
    page.get_by_role("menuitem", name="Add a tag").click()
    page.locator("header input.tag:focus").wait_for()
    page.keyboard.press("Escape")
    page.set_viewport_size({"width": 1280, "height": 800})
    page.click("#edit-settings")
    page.locator("#settings option").first.wait_for(state="attached")
    check(page, "settings")
    visitor.context.clear_cookies()
    page.goto(f"{visitor.url}/login/")
    check(page, "login")


RULES = {"dark": browser.COLOURS, "light": ()}


def check(page: Page, name: str, schemes: Sequence[str] = tuple(RULES)) -> None:
    """Check the page in dark and light: it has no horizontal overflow, and is accessible.

    All rules are checked in one scheme, and those about colours in the other one.
    """
    for scheme in schemes:
        browser.show_in(page, scheme)
        if FOLDER:
            Path(FOLDER).mkdir(parents=True, exist_ok=True)
            page.screenshot(path=Path(FOLDER) / f"chat-{name}-{scheme}.png", animations="disabled")
        assert (brightness(page) > 128) == (scheme == "light"), (name, scheme)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (name, scheme)
        assert browser.hindrances(page, rules=RULES[scheme]) == [], (name, scheme)


def brightness(page: Page) -> float:
    """Return the median brightness of the page, 0 to 255."""
    picture = Image.open(io.BytesIO(page.screenshot(type="jpeg", quality=30))).convert("L").resize((100, 100))
    return float(sorted(picture.tobytes())[5000])


@pytest.fixture(scope="module")
def page(chromium: Browser, uvicorn_server: ServerProcess) -> Iterator[Page]:
    """Provide a chat page on which tests run scripts only, and change nothing on the server."""
    with Visitor(chromium, uvicorn_server.url) as visitor:
        yield visitor.page
        assert visitor.complaints == []


def test_text_that_grows_looks_as_if_it_had_come_at_once(page: Page) -> None:
    _, at_once = page.evaluate(GROW, [PLAIN])
    for size in (1, 3, 7):
        _, grown = page.evaluate(GROW, [PLAIN[at : at + size] for at in range(0, len(PLAIN), size)])
        assert grown == at_once


@pytest.mark.parametrize("words", [["word "] * 39 + ["end.\n\n"], ["code"] * 39 + ["\n"]], ids=["text", "code"])
def test_an_answer_four_times_as_long_costs_four_times_as_much(page: Page, words: list[str]) -> None:
    opening = ["```\n"] if words[0] == "code" else []
    short, long = (page.evaluate(GROW, opening + words * times)[0] for times in (10, 40))
    assert long < 5 * short


def test_what_no_parser_gets_through_is_shown_as_it_was_written(page: Page) -> None:
    page.evaluate(GROW, ["$x$"])
    page.wait_for_function("() => window.katex")  # a function: the page forbids evaluating a string
    many = [repeated * (20_000 // len(repeated)) for repeated in ("> ", "1. ", "- > ", "*_a", "[", "<a ", "\\[\n")]
    for written in (*many, f"${'{' * 4000}$ and $x$"):
        _, shown = page.evaluate(GROW, [f"{written} the end"])
        assert "the end" in shown, written[:10]
