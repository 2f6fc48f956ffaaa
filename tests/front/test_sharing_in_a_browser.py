"""A shared conversation is live for those with whom it is shared, and invisible to everybody else."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Browser, Page

from tests.clients import Api
from tests.front.visiting import Visitor
from tests.test_shared_conversations import end, share


def test_a_shared_conversation_is_live_for_whoever_reads_and_writes(visitor: Visitor, chromium: Browser) -> None:
    visitor.asked_and_answered("Hello")
    path = "/c/" + visitor.page.url.split("/c/")[1]
    id = path.split("/")[2]
    with Visitor(chromium, visitor.url, path="") as friend, Api(visitor.url, visitor.user) as owner:
        reading = share(owner, id, "reader", user=friend.user.username)
        friend.page.goto(visitor.url + path)
        friend.page.locator("#reads-only").wait_for()
        assert not friend.page.locator("#composer, [data-asks]").filter(visible=True).count()
        is_offered_nothing_that_is_refused(friend.page)
        friend.page.click("#copy")
        friend.page.locator("#reads-only").wait_for(state="hidden")
        friend.page.locator("#title:not([readonly])").wait_for()
        friend.sees("You said: Hello")
        friend.page.goto(visitor.url + path)
        visitor.ask("[[sandbox: words=3000; pace=0.05]]")
        friend.sees("word10", ".live")
        end(owner, id, reading)
        friend.sees("not there any more", "#toast")
        visitor.sees("word11", ".live")  # and not because it had ended
        visitor.page.press("#question", "Escape")
        visitor.sees_no_more(".live")
        share(owner, id, "writer", user=friend.user.username)
        friend.page.goto(visitor.url + path)
        friend.ask("From a friend")
        for each in (friend, visitor):
            each.sees("You said: From a friend")


def is_offered_nothing_that_is_refused(page: Page) -> None:
    """Check that a reader sees a conversation's settings, but no controls that change it."""
    assert not page.locator("#title").is_editable()
    page.click("#more")
    assert page.locator("#menu button").all_text_contents() == ["Settings", "Make a copy", "Export as Markdown"]
    page.click("text=Settings >> visible=true")
    page.locator("#settings .reason").wait_for()
    assert page.locator("#settings-model").is_disabled()
    assert not page.locator("#settings button", has_text="Save").is_visible()
    page.click("#settings [data-close]")


def test_another_users_conversation_is_not_there(visitor: Visitor, other: Any) -> None:
    answer = visitor.page.request.get(f"{visitor.url}/c/{other.conversation(title='A secret')}/")
    assert answer.status == 404
    assert "A secret" not in answer.text()
