"""A user talks with Claude on the page, and a reload, a cut, a dead server or a second tab loses nothing."""

from __future__ import annotations

import base64

from playwright.sync_api import Browser

from conversations.models import Conversation, Turn
from conversations.sandbox.server import Sandbox
from conversations.services.deletion import deletion
from tests.calls import LOOK, TOUCH, results_in
from tests.clients import PASSWORD, Api
from tests.cutting_proxy import CuttingProxy
from tests.front.test_accessibility_in_a_browser import check, reach
from tests.front.visiting import Visitor
from tests.processes import ServerProcess

SLOW = "[[sandbox: words=40; pace=0.05]]"
WORDS = " ".join(f"word{number}" for number in range(1, 41))
PASTE = """([type, base64]) => {
    const bytes = Uint8Array.from(atob(base64), (each) => each.charCodeAt(0));
    const data = new DataTransfer();
    data.items.add(new File([bytes], "pasted.png", { type }));
    document.querySelector("#question").dispatchEvent(
        new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
}"""


def test_one_logs_in_and_gets_an_answer(chromium: Browser, uvicorn_server: ServerProcess) -> None:
    with Visitor(chromium, uvicorn_server.url, logged_in=False) as visitor:
        page = visitor.page
        page.fill("#username", visitor.user.username)
        page.fill("#password", "wrong")
        page.press("#password", "Enter")
        page.get_by_role("alert").wait_for()
        page.fill("#password", PASSWORD)
        page.press("#password", "Enter")
        visitor.asked_and_answered('Why is tea **green**? [[sandbox: text="It is *not* roasted."]]')
        assert visitor.sees("It is not roasted.").locator("em").inner_text() == "not"
        assert "/c/" in page.url
        visitor.sees("Why is tea", "#conversations a[aria-current]")
        page.click("[aria-label='Log out']")
        page.locator("#username").wait_for()
        assert visitor.complaints == []


def test_a_reload_in_mid_answer_goes_on_where_it_was(visitor: Visitor) -> None:
    visitor.ask(SLOW)
    visitor.sees("word10")
    visitor.page.reload()
    assert visitor.sees("word40").locator(".body").inner_text() == WORDS
    visitor.sees_no_more(".live")
    visitor.page.reload()
    assert visitor.sees("word40").locator(".body").inner_text() == WORDS
    visitor.ask("[[sandbox: error=400]]")
    failed = visitor.sees("told to fail", ".answer .notice").inner_text()
    visitor.page.reload()
    assert visitor.sees("told to fail", ".answer .notice").inner_text() == failed
    with visitor.page.expect_response("**/turns/") as begun:
        visitor.page.get_by_role("button", name="Try again").last.click()
    assert begun.value.status == 201


def test_a_network_that_goes_and_comes_back_loses_nothing(chromium: Browser, uvicorn_server: ServerProcess) -> None:
    with CuttingProxy(uvicorn_server.port) as proxy, Visitor(chromium, proxy.url) as visitor:
        visitor.ask(SLOW)
        visitor.sees("word10")
        proxy.down = True
        proxy.cut_all()
        visitor.sees("No connection", "#connection")
        proxy.down = False
        assert visitor.sees("word40").locator(".body").inner_text() == WORDS
        visitor.page.locator("#connection").wait_for(state="hidden")
        visitor.page.route("**/turns/", lambda sent: sent.abort())
        visitor.ask("Not lost")
        visitor.sees("No connection", "#connection")
        visitor.page.reload()
        visitor.page.wait_for_function("() => document.querySelector('#question').value === 'Not lost'")


def test_a_server_that_dies_leaves_what_it_said(chromium: Browser, database: str, sandbox: Sandbox) -> None:
    with (
        ServerProcess("uvicorn", database, sandbox.url, COLLOQUY_LEASE="2") as server,
        Visitor(chromium, server.url) as visitor,
    ):
        visitor.ask("[[sandbox: words=2000; pace=0.05]]")
        visitor.sees("word10")
        server.kill()
        visitor.sees("No connection", "#connection")
        server.start()
        visitor.sees("The server was interrupted")
        visitor.sees("word1 word2 word3 word4 word5 word6 word7 word8 word9 word10")
        visitor.page.get_by_role("button", name="Continue").wait_for()


def test_an_answer_is_stopped_and_continued(visitor: Visitor) -> None:
    visitor.ask("[[sandbox: words=2000; pace=0.05]]")
    visitor.sees("word10")
    visitor.page.press("#question", "Escape")
    visitor.sees("You stopped this answer.")
    visitor.page.get_by_role("button", name="Continue").click()
    visitor.page.locator(".answer").nth(1).locator(".about:not(:empty)").wait_for()


def test_a_question_is_edited_and_both_versions_are_there(visitor: Visitor) -> None:
    page = visitor.page
    visitor.asked_and_answered("Hello from the first")
    page.hover(".question")
    page.click("[aria-label='Edit the question']")
    page.fill(".editing textarea", "Hello from the second")
    page.press(".editing textarea", "Enter")
    visitor.sees("Hello from the second")
    visitor.sees("2 / 2", ".question .siblings")
    page.click(".question [aria-label='Previous version']")
    visitor.sees("Hello from the first")
    visitor.sees("1 / 2", ".question .siblings")
    page.hover(".answer")
    page.click("[aria-label='Try again']")
    visitor.sees("2 / 2", ".answer .siblings")


def test_an_answer_is_rated_with_a_reason(visitor: Visitor) -> None:
    page = visitor.page
    visitor.asked_and_answered("Hello")
    page.click("[aria-label='Bad answer']")
    page.fill("[aria-label='Why? (optional)']", "Too short")
    page.press("[aria-label='Why? (optional)']", "Enter")
    page.locator(".why").wait_for(state="hidden")
    assert visitor.user.feedback.values_list("rating", "comment").get() == (-1, "Too short")
    page.click("[aria-label='Good answer']")
    page.locator(".why").wait_for()
    assert page.input_value("[aria-label='Why? (optional)']") == "Too short"
    assert visitor.user.feedback.values_list("rating", "comment").get() == (1, "Too short")
    page.click("[aria-label='Good answer']")
    page.locator(".why").wait_for(state="hidden")
    assert not visitor.user.feedback.exists()
    assert visitor.complaints == []


def test_an_image_is_pasted_and_shown(visitor: Visitor, png: bytes) -> None:

    page = visitor.page
    page.evaluate(PASTE, ["image/png", base64.b64encode(png).decode()])
    page.locator(".chip img").wait_for()
    visitor.sees_no_more(".chip progress")
    visitor.asked_and_answered("What is this?")
    visitor.sees("image/png")
    assert page.locator(".question img").evaluate("(image) => image.decode().then(() => image.naturalWidth)") == 3
    page.evaluate(PASTE, ["image/png", base64.b64encode(png).decode()])
    page.locator(".chip img").wait_for()
    page.keyboard.press("Control+Shift+O")
    page.locator(".chip").wait_for(state="detached")  # a file is not sent to another conversation than it was chosen in
    page.go_back()
    page.locator(".chip img").wait_for()


def test_an_answer_that_is_deleted_while_it_comes_is_told_to_everybody(
    chromium: Browser, uvicorn_server: ServerProcess
) -> None:
    """The browser logs the 404 that follows, as it has to."""
    with Visitor(chromium, uvicorn_server.url) as visitor:
        visitor.ask("[[sandbox: words=2000; pace=0.05]]")
        visitor.sees("word5")
        assert visitor.page.locator("#status").text_content() == "Claude is answering."
        [conversation] = Conversation.objects.filter(owner=visitor.user)
        deletion.delete_conversation(user=visitor.user, id=conversation.pk)
        visitor.sees_no_more(".live")
        notice = visitor.page.locator(".answer .notice")
        notice.wait_for()
        assert visitor.page.locator("#status").text_content() == notice.text_content()


def test_two_tabs_stay_in_step(visitor: Visitor) -> None:
    visitor.asked_and_answered("Hello")
    other = visitor.tab("/c/" + visitor.page.url.split("/c/")[1])
    visitor.sees("You said: Hello", page=other)
    visitor.ask(SLOW)
    visitor.sees("word10", page=other)
    assert visitor.sees("word40", page=other).locator(".body").inner_text() == WORDS
    visitor.sees_no_more(".live", other)
    visitor.ask("From the other tab", other)
    visitor.sees("From the other tab")


def test_results_of_the_clients_tools_are_typed_in(newcomer: Visitor) -> None:
    page = newcomer.page
    with Api(newcomer.url, newcomer.user) as api:
        conversation = api.conversation(tools=[LOOK, TOUCH])
        turn = api.begin('[[sandbox: tool=look{}; tool=touch{}; then; text="Seen."]]', conversation)
    page.goto(f"{newcomer.url}/c/{conversation}/")
    page.locator(".results").wait_for()
    check(page, "results-of-tools")
    for selector, keys in (
        ("fieldset textarea", '{"colour": "green"}'),
        ("fieldset + fieldset textarea", "It burns"),
        ("fieldset + fieldset input", " "),
        (".primary", "\n"),
    ):
        reach(page, f".results {selector}")
        page.keyboard.type(keys)
    newcomer.sees("Seen.")
    newcomer.sees_no_more(".results")
    with Api(newcomer.url, newcomer.user) as api:
        results = results_in(api.ended(turn["id"]))
    assert [(results[name]["content"], results[name].get("is_error", False)) for name in ("look", "touch")] == [
        ('{"colour": "green"}', False),
        ("It burns", True),
    ]
    newcomer.ask("[[sandbox: tool=look{}]]")
    page.locator(".results").get_by_role("button", name="Stop").click()
    newcomer.sees("You stopped this answer.")
    newcomer.sees_no_more(".results")


def test_a_second_question_waits_or_interrupts(visitor: Visitor) -> None:
    visitor.ask("[[sandbox: words=2000; pace=0.05]]")
    visitor.sees("word5")
    visitor.ask("And then this")
    visitor.sees("Waits for the answer above.")
    visitor.ask("Not this")
    visitor.page.get_by_role("button", name="Take it back").nth(1).click()
    visitor.page.locator(".answer.live").nth(2).wait_for(state="detached")
    visitor.page.wait_for_function("() => document.querySelector('#question').value === 'Not this'")
    visitor.page.reload()
    visitor.sees("And then this", ".question")
    visitor.sees("word5")
    visitor.page.press("#question", "Escape")
    visitor.sees("You said: And then this")
    visitor.ask("[[sandbox: words=2000; pace=0.05]]")
    visitor.sees("word10", ".live")
    visitor.page.fill("#question", "Now this")
    visitor.page.click("#interrupt")
    visitor.sees("You said: Now this")
    assert Turn.objects.filter(user=visitor.user).count() == 5


def test_conversations_are_found_tagged_archived_and_deleted(visitor: Visitor) -> None:
    page = visitor.page
    visitor.asked_and_answered("Of sencha")
    page.fill("#title", "Japanese tea")
    page.press("#title", "Enter")
    visitor.sees("Japanese tea", "#conversations")
    page.click("#more")
    page.get_by_role("menuitem", name="Add a tag").click()
    page.keyboard.type("drinks")
    page.keyboard.press("Enter")
    visitor.sees("drinks", "header .tag")
    page.fill("#search", "sencha")
    visitor.sees("sencha", "#conversations mark")
    page.fill("#search", "")
    page.click("#more")
    page.get_by_role("menuitem", name="Archive").click()
    visitor.sees("No conversations yet.", "#nothing-found")
    page.get_by_text("Archive", exact=True).first.click()
    visitor.sees("Japanese tea", "#conversations")
    page.click("#more")
    page.get_by_role("menuitem", name="Delete").click()
    page.get_by_role("button", name="Delete").click()
    page.wait_for_url(f"{visitor.url}/")
    page.go_back()  # to the one that is deleted
    visitor.sees("not there any more", "#toast")
    page.wait_for_url(f"{visitor.url}/")
    visitor.complaints.clear()  # about what was not found
    assert not Conversation.objects.filter(owner=visitor.user).exists()
