"""Rendering messages: Markdown without active content, and without anything that is loaded from other hosts.

A model's text is untrusted: its HTML must not run, and an image in it would tell a server who has read the message.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from conversations.contract.wire import Block
from conversations.exact_json import dumps
from conversations.models import PendingQuestion

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

LONGEST = 20_000
"""The number of characters of a text that are rendered as Markdown; the rest is shown as plain text, to save time."""

TAGS = {
    *("p", "br", "hr", "em", "strong", "s", "code", "pre", "blockquote", "ul", "ol", "li"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td", "a"),
}


@cache
def _parser() -> MarkdownIt:
    """Return a Markdown parser without images: `![a](b)` becomes a link after an exclamation mark."""
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False, "breaks": True}).enable("table").disable("image")


def rendered_markdown(text: str) -> SafeString:
    """Render a Markdown text as HTML without active content."""
    import nh3  # here, as the parser, since most processes never show a message to the staff

    rendered = _parser().render(text[:LONGEST])
    clean = nh3.clean(
        rendered,
        tags=TAGS,
        attributes={"a": {"href", "title"}, "ol": {"start"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )
    return format_html('<div class="said">{}{}</div>', mark_safe(clean), text[LONGEST:])  # noqa: S308 - nh3 cleaned it


def rendered_blocks(content: Sequence[Block]) -> SafeString:
    """Render content blocks by kind, and those of unknown kinds as JSON."""
    return format_html_join("", "{}", ((_block(block),) for block in content))


def rendered_json(value: object) -> SafeString:
    """Render JSON, indented and escaped; a dash for nothing."""
    if value is None:
        return SafeString("-")
    return format_html("<pre class='json'>{}</pre>", dumps(value, indent=2, ascii=False))


def _block(block: Block) -> SafeString:
    show = SHOWN.get(str(block.get("type")))
    if show is None:
        return _folded(str(block.get("type") or "unknown block"), rendered_json(block))
    try:
        return show(block)
    except (KeyError, TypeError, AttributeError):  # unexpected fields: Claude may change types at any time
        return _folded(str(block.get("type")), rendered_json(block))


def _folded(summary: str, body: SafeString) -> SafeString:
    return format_html("<details><summary>{}</summary>{}</details>", summary, body)


def _text(block: Block) -> SafeString:
    said = rendered_markdown(block["text"])
    cited = block.get("citations")
    return said + _folded(f"{len(cited)} citations", rendered_json(cited)) if cited else said


def _thinking(block: Block) -> SafeString:
    thought = block["thinking"]
    return _folded("Thinking" if thought else "Thinking, which Claude did not show", rendered_markdown(thought))


def _redacted(block: Block) -> SafeString:
    return SafeString("<p><em>Thinking that only Claude can read.</em></p>")


def _call(block: Block) -> SafeString:
    return _folded(f"Calls {block['name']}", rendered_json(block["input"]))


def _result(block: Block) -> SafeString:
    content = block.get("content") or ""
    body = rendered_markdown(content) if isinstance(content, str) else rendered_blocks(content)
    return _folded("Result of a tool" + (", an error" if block.get("is_error") else ""), body)


def _file(block: Block) -> SafeString:
    source = block["source"]
    kind, title = block["type"], block.get("title") or ""
    match source["type"]:
        case "attachment":
            url = reverse("admin:conversations_attachment_change", args=[source["attachment"]])
            return format_html(
                '<p><a href="{}">{} {} ({})</a></p>', url, kind.capitalize(), title, source["media_type"]
            )
        case "url":
            return format_html("<p>{} {} at <code>{}</code>, not loaded.</p>", kind.capitalize(), title, source["url"])
        case "text":
            return _folded(f"{kind.capitalize()} {title}", format_html("<pre>{}</pre>", source["data"]))
    return _folded(f"{kind.capitalize()} {title}", rendered_json(source))


SHOWN: dict[str, Callable[[Block], SafeString]] = {
    "text": _text,
    "thinking": _thinking,
    "redacted_thinking": _redacted,
    "tool_use": _call,
    "server_tool_use": _call,
    "mcp_tool_use": _call,
    "tool_result": _result,
    "image": _file,
    "document": _file,
}


def rendered_conversation(messages: Iterable[tuple[str, str, SafeString]]) -> SafeString:
    """Render a list of messages, each a tuple of role, URL and content as HTML."""
    body = '<article class="message {}"><header><a href="{}">{}</a></header>{}</article>'
    return format_html_join("", body, ((role, url, role, said) for role, url, said in messages))


def rendered_waiting(questions: Iterable[PendingQuestion]) -> SafeString:
    """Render a list of the questions of turns that have not begun, with links to the turns."""
    body = '<article class="message waiting"><header><a href="{}">{}</a></header>{}</article>'
    return format_html_join("", body, (_waiting(each) for each in questions))


def _waiting(question: PendingQuestion) -> tuple[str, str, SafeString]:
    turn = question.turn
    place = "waits to interrupt" if question.interrupts else "waits"
    title = f"{turn.user.username} {place} since {turn.created_at:%Y-%m-%d %H:%M:%S}"
    if turn.status != turn.Status.PENDING:
        title = f"{turn.user.username} asked, and it was {turn.status} before it began"
    content = question.content
    said = rendered_blocks(content) if content is not None else SafeString("<p>A new answer to a message above.</p>")
    return reverse("admin:conversations_turn_change", args=[turn.pk]), title, said
