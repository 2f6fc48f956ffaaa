"""A long conversation opens at its end; older messages load as the reader nears the top, without any jump."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Route

from conversations.models import Message
from tests.front.visiting import Visitor, long_conversation

MOVED = """() => {
    window.shift = 0;
    new PerformanceObserver((list) => {
        for (const { value } of list.getEntries()) window.shift += value;
    }).observe({ type: "layout-shift" });
    const scroller = document.querySelector("#scroller");
    scroller.scrollTop = 1;
    const seen = [...document.querySelectorAll(".message")].find((each) => each.getBoundingClientRect().top > 100);
    const top = seen.getBoundingClientRect().top;
    window.moved = () => seen.getBoundingClientRect().top - top;
}"""
LEAP = """() => {
    window.shift = 0;
    window.moved = 0;
    new PerformanceObserver((list) => {
        for (const { value } of list.getEntries()) window.shift += value;
    }).observe({ type: "layout-shift" });
    const scroller = document.querySelector("#scroller");
    document.body.dataset.leaps = "";
    let seen, top;
    requestAnimationFrame(function leap() {
        if (seen) window.moved = Math.max(window.moved, Math.abs(seen.getBoundingClientRect().top - top));
        scroller.scrollTop = 0;
        seen = scroller.querySelector(".message");
        top = seen.getBoundingClientRect().top;
        requestAnimationFrame(leap); // before the page asks for the same frame
    });
}"""
LEFT = "(({ scrollHeight, scrollTop, clientHeight }) => scrollHeight - scrollTop - clientHeight)(window.scroller)"
OLDER = re.compile(r"/messages/\?.*cursor=")


def test_a_long_conversation_is_shown_from_its_end_and_nothing_moves_when_older_messages_come(
    newcomer: Visitor,
) -> None:
    page = newcomer.page
    page.goto(f"{newcomer.url}/c/{long_conversation(newcomer.user, 600).pk}/")
    newcomer.sees("Message 600")
    page.locator(".message", has_text="Message 571").wait_for(state="attached")
    assert page.locator(".message").count() < 600
    page.evaluate(MOVED)
    page.locator(".message", has_text="Message 541").wait_for(state="attached")
    assert abs(page.evaluate("window.moved()")) <= 1
    assert page.evaluate("window.shift") == 0
    said = page.locator(".message .body p").all_text_contents()
    assert said == [f"Message {601 - at} is said." for at in range(len(said), 0, -1)]


def test_an_answer_that_is_on_two_pages_of_messages_is_one(newcomer: Visitor) -> None:
    page = newcomer.page
    conversation = long_conversation(newcomer.user, 34)
    call, result = list(conversation.messages.order_by("id")[3:5])  # the result is the first message of the newest page
    call.content = [{"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}}]
    result.content = [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "green"}]
    Message.objects.bulk_update([call, result], ["content"])
    page.goto(f"{newcomer.url}/c/{conversation.pk}/")
    newcomer.sees("Message 34")
    page.evaluate("document.querySelector('#scroller').scrollTop = 0")
    page.locator(".question", has_text="Message 1 is").wait_for(state="attached")
    assert page.locator(".tool .state").text_content() == "done"
    assert page.locator(".message").count() == 32


def test_the_end_stays_in_sight_until_the_reader_scrolls_up_however_little(newcomer: Visitor) -> None:
    page = newcomer.page
    page.goto(f"{newcomer.url}/c/{long_conversation(newcomer.user, 20).pk}/")
    newcomer.sees("Message 20")
    page.set_viewport_size({"width": 1280, "height": 600})
    page.wait_for_function(f"() => {LEFT} < 2")
    page.evaluate("document.querySelector('#scroller').scrollTop -= 50")
    page.locator("#scroller.away").wait_for()
    page.set_viewport_size({"width": 1280, "height": 550})
    page.wait_for_function(f"() => {LEFT} > 90")


@pytest.mark.parametrize("paragraphs", [1, 40], ids=["short", "tall"])
def test_nothing_moves_when_older_messages_come_in_the_frame_in_which_a_reader_gets_to_the_top(
    newcomer: Visitor, paragraphs: int
) -> None:
    page = newcomer.page
    conversation = long_conversation(newcomer.user, 150, lambda at: "\n\n".join([f"Message {at + 1}."] * paragraphs))

    def wait_for_the_reader(older: Route) -> None:
        page.locator("body[data-leaps]").wait_for()
        older.continue_()

    page.route(OLDER, wait_for_the_reader)
    page.goto(f"{newcomer.url}/c/{conversation.pk}/")
    page.locator(".message", has_text="Message 121.").wait_for(state="attached")
    page.evaluate(LEAP)
    page.locator(".message", has_text="Message 1.").wait_for(state="attached")
    assert page.evaluate("window.moved") <= 1.5  # one pixel away from the top, and what the browser rounds
    assert page.evaluate("window.shift") == 0
