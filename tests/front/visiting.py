"""A user at the chat page, in a browser."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Self

from django.test import Client
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page

from conversations.fields import uuid7
from conversations.models import Conversation, Message, User
from tests import browser
from tests.clients import PASSWORD, hashed

PATIENCE = 60_000  # milliseconds: the machine may be busy


def numbered(at: int) -> str:
    """Return a short Markdown text that contains the message's number."""
    return f"Message {at + 1} is **said**.\n\n- one\n- two"


def long_conversation(owner: User, count: int, text: Callable[[int], str] = numbered) -> Conversation:
    """Create a conversation of `count` messages, questions and answers in turn, as one path.

    `text` returns the text of a message by its number, from 0.
    """
    conversation = Conversation.objects.create(owner=owner, title="A long one")
    ids = [uuid7() for _ in range(count)]
    Message.objects.bulk_create(
        Message(
            id=id,
            conversation=conversation,
            parent_id=ids[at - 1] if at else None,
            role="assistant" if at % 2 else "user",
            content=[{"type": "text", "text": text(at)}],
        )
        for at, id in enumerate(ids)
    )
    conversation.active_leaf_id = ids[-1]
    conversation.save()
    return conversation


class Visitor:
    """A new user, logged in, with a page open at `path`, and the errors that the browser has logged.

    The browser context is reused from earlier visitors, without their cookies and storage.
    """

    def __init__(
        self, chromium: Browser, url: str, path: str = "/", *, logged_in: bool = True, scheme: str = "light"
    ) -> None:
        self.user = User.objects.create(username=f"visitor-{uuid.uuid4().hex[:10]}", password=hashed(PASSWORD))
        self.url = url
        self.scheme = scheme
        self.context = browser.unused_context(chromium)
        self.complaints: list[str] = []
        if logged_in:
            client = Client()
            client.force_login(self.user)
            session = client.cookies["sessionid"].value
            self.context.add_cookies([{"name": "sessionid", "value": session, "url": url}])
        self.page = self.tab(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.context.clear_cookies()
        self.context.new_cdp_session(self.page).send(
            "Storage.clearDataForOrigin", {"origin": self.url, "storageTypes": "all"}
        )
        for page in self.context.pages[1:]:
            page.close()

    def tab(self, path: str = "/") -> Page:
        """Open another tab, an empty one if the path is empty."""
        page = self.context.new_page()
        page.emulate_media(color_scheme=self.scheme)  # type: ignore[arg-type]
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._take_complaint)
        if path:
            page.goto(self.url + path)
        return page

    def _take_complaint(self, said: ConsoleMessage) -> None:
        if said.type == "error":
            self.complaints.append(f"{said.text} {said.location['url']}")

    def ask(self, text: str, page: Page | None = None) -> None:
        """Type a question and send it."""
        page = page or self.page
        page.locator("body[data-ready]").wait_for()
        page.fill("#question", text)
        page.press("#question", "Enter")

    def asked_and_answered(self, text: str) -> None:
        """Ask, and wait until the answer is there with its cost."""
        before = self.page.locator(".answer").count()
        self.ask(text)
        self.page.locator(".answer").nth(before).locator(".about:not(:empty)").wait_for()

    def sees(self, text: str, where: str = ".answer", page: Page | None = None) -> Locator:
        """Wait until a text is visible in an element that `where` selects; return the element."""
        found = (page or self.page).locator(where, has_text=text).last
        found.wait_for()
        return found

    def sees_no_more(self, where: str, page: Page | None = None) -> None:
        """Wait until no element matches the selector."""
        (page or self.page).locator(where).first.wait_for(state="detached")
