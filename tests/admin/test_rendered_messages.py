"""Messages are readable in the admin, and nothing in them is executed there."""

from __future__ import annotations

import base64
import re
from html import unescape
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from conversations.admin import rendering
from conversations.models import Message
from tests.clients import Api


def text_of(html: str) -> str:
    return unescape(re.sub("<[^>]*>", "", html))


def test_markdown_is_rendered() -> None:
    html = rendering.rendered_markdown(
        "# Tea\n\nIt is **green**.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```\nx < y\n```"
    )
    for part in ("<h1>Tea</h1>", "<strong>green</strong>", "<td>1</td>", "x &lt; y"):
        assert part in html


@pytest.mark.parametrize(
    "said",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "![x](https://elsewhere.example/x.png)",
        "[x]: https://elsewhere.example/x.png\n\n![x]",
        "[x](javascript:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "<a href='jAvAsCrIpT:alert(1)'>x</a>",
        "<iframe src='https://elsewhere.example'></iframe>",
        "<style>@import 'https://elsewhere.example'</style>",
        "<svg onload=alert(1)>",
        '[x](https://a.example "\\" onmouseover=alert(1) x=\\"")',
    ],
)
def test_nothing_in_it_acts_or_loads(said: str) -> None:
    html = rendering.rendered_markdown(said)
    tags = re.findall(r"<(\w+)([^>]*)>", html)
    assert not {tag for tag, _ in tags} & {"script", "img", "iframe", "style", "svg", "object", "link", "video"}
    for _, attributes in tags:
        names = re.findall(r'([\w-]+)="', re.sub(r'"[^"]*"', '""', attributes))
        assert set(names) <= {"class", "href", "title", "rel", "start"}
    assert not re.search(r'href="\s*(javascript|data)', html, re.IGNORECASE)


@given(st.text())
def test_any_text_is_rendered(said: str) -> None:
    html = rendering.rendered_markdown(said)
    assert not re.search(
        r"<(?!/?(div|p|br|hr|em|strong|code|pre|blockquote|ul|ol|li|h[1-6]|table|thead|tbody|tr|th|td|a)\b)", html
    )


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda each: st.lists(each) | st.dictionaries(st.text(), each),
    max_leaves=12,
)
KINDS = st.sampled_from([*rendering.SHOWN, "web_search_tool_result", "not_invented_yet"])


@given(KINDS, st.dictionaries(st.sampled_from(["text", "content", "source", "input", "name", "thinking"]), JSON))
def test_any_block_is_rendered(kind: str, fields: Any) -> None:
    block: Any = {"type": kind, **fields}
    assert rendering.rendered_blocks([block])


def test_every_kind_of_block_is_shown_in_its_way() -> None:
    html = rendering.rendered_blocks(
        [
            {"type": "thinking", "thinking": "Let me see", "signature": "x"},
            {"type": "redacted_thinking", "data": "secret"},
            {"type": "tool_use", "id": "t", "name": "look", "input": {"at": "<tea>"}},
            {
                "type": "tool_result",
                "tool_use_id": "t",
                "content": [{"type": "text", "text": "*green*"}],
                "is_error": True,
            },
            {"type": "image", "source": {"type": "url", "url": "https://elsewhere.example/x.png"}},
            {"type": "new_kind", "value": 1},  # type: ignore[typeddict-unknown-key]
        ]
    )
    for part in ("Let me see", "only Claude can read", "Calls look", "&lt;tea&gt;", "an error", "<em>green</em>"):
        assert part in html
    assert "not loaded" in html
    assert "<img" not in html
    assert "new_kind" in html


def test_an_image_is_opened_on_demand_and_that_is_noted(staff: Client, api: Api, png: bytes) -> None:
    source = {"type": "base64", "media_type": "image/png", "data": base64.b64encode(png).decode()}
    turn = api.ask([{"type": "image", "source": source}, {"type": "text", "text": "What is it?"}])
    question = Message.objects.get(conversation=turn["conversation"], role="user")
    page = staff.get(f"/admin/conversations/message/{question.pk}/change/").content.decode()
    found = re.search(r"/admin/conversations/attachment/([0-9a-f-]{36})/change/", page)
    assert found
    assert f"/admin/conversations/attachment/{found[1]}/content/" in staff.get(found[0]).content.decode()
    content = staff.get(f"/admin/conversations/attachment/{found[1]}/content/")
    assert content.content == png
    assert content["Content-Security-Policy"].startswith("sandbox")
    kinds = [each["kind"] for each in api.get("me/access-log/").json()["results"]]
    assert kinds == ["attachment", "attachment", "message"]


def test_pages_load_nothing_from_elsewhere(staff: Client) -> None:
    policy = staff.get("/admin/")["Content-Security-Policy"]
    assert "img-src 'self' data:" in policy
    assert "frame-src 'none'" in policy


def test_a_long_conversation_is_shown_in_parts(staff: Client, api: Api) -> None:
    conversation = api.conversation()
    texts = [f"Message number {n}." for n in range(120)]
    parent = None
    for n, text in enumerate(texts):
        parent = Message.objects.create(
            conversation_id=conversation,
            parent=parent,
            role=("user", "assistant")[n % 2],
            content=[{"type": "text", "text": text}],
        )
    assert parent
    parent.conversation.active_leaf = parent
    parent.conversation.save()
    url, seen = f"/admin/conversations/conversation/{conversation}/change/", list[str]()
    while url:
        page = staff.get(url).content.decode()
        seen = re.findall(r"Message number \d+\.", page) + seen
        before = re.search(rf'"([^"]*{conversation}/change/\?leaf=[0-9a-f-]+)">\d+ before<', page)
        url = unescape(before[1]) if before else ""
    assert seen == texts
