"""Attachments in content are noted, put in for Claude and shown, wherever in the content they are."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from conversations.content.sources import (
    attachments_in,
    check_attachments,
    has_sources,
    images_in,
    with_base64,
    with_urls,
)
from conversations.errors import InvalidRequest, UnsupportedMediaType

PNG, PDF, CSV = "image/png", "application/pdf", "text/csv"


def image(id: str = "a", media_type: str = PNG) -> Any:
    return {"type": "image", "source": {"type": "attachment", "attachment": id, "media_type": media_type}}


def document(id: str = "d", media_type: str = PDF) -> Any:
    return {"type": "document", "source": {"type": "attachment", "attachment": id, "media_type": media_type}}


def inside(*blocks: Any) -> Any:
    return {"type": "document", "source": {"type": "content", "content": list(blocks)}}


def result(*blocks: Any) -> Any:
    return {"type": "tool_result", "tool_use_id": "t", "content": list(blocks)}


TEXT: Any = {"type": "text", "text": "x"}
LINK: Any = {"type": "image", "source": {"type": "url", "url": "https://example.com/cat.png"}}
SEARCH: Any = {"type": "search_result", "source": "handbook", "title": "x", "content": [TEXT]}
PLACES = {
    "alone": lambda block: [TEXT, block],
    "in a document": lambda block: [inside(TEXT, block)],
    "in a result of a tool": lambda block: [result(TEXT, block)],
    "in a document in a result": lambda block: [TEXT, result(inside(block))],
}
places = pytest.mark.parametrize("around", PLACES.values(), ids=PLACES)


@places
def test_an_image_is_found(around: Any) -> None:
    content = around(image("a"))
    assert attachments_in(content) == {"a"}
    assert has_sources(content)
    assert images_in(content) == [image("a")["source"]]


@places
def test_what_is_no_attachment_is_a_source_as_well(around: Any) -> None:
    content = around(LINK)
    assert attachments_in(content) == set()
    assert has_sources(content)
    assert images_in(content) == [LINK["source"]]
    assert with_urls(content) == with_base64(content, unread) == content


def unread(source: Any) -> tuple[str, bytes]:
    raise AssertionError(f"{source} was read")


@pytest.mark.parametrize("content", [[], [TEXT], [SEARCH], [result()], [result(TEXT)]])
def test_text_has_no_sources(content: Any) -> None:
    """Though what a search result calls its source is one in words."""
    assert not has_sources(content)
    assert images_in(content) == []
    assert with_urls(content) == content


def test_all_are_noted_each_once() -> None:
    content = [image("a"), result(image("b"), document("c")), inside(image("b"))]
    assert attachments_in(content) == {"a", "b", "c"}
    assert [source["attachment"] for source in images_in(content)] == ["a", "b", "b"]


@places
def test_claude_gets_the_bytes(around: Any) -> None:
    found = with_base64(around(image("a")), lambda source: (PNG, f"bytes of {source['attachment']}".encode()))
    data = base64.b64encode(b"bytes of a").decode()
    assert found == around({"type": "image", "source": {"type": "base64", "media_type": PNG, "data": data}})


def test_claude_gets_text_as_text() -> None:
    titled: Any = {**document(), "title": "T"}
    [found] = with_base64([titled], lambda _: ("text/plain", "Größe".encode()))
    source = {"type": "text", "media_type": "text/plain", "data": "Größe"}
    assert found == {"type": "document", "source": source, "title": "T"}


@places
def test_a_user_gets_an_address(around: Any) -> None:
    [source] = images_in(with_urls(around(image("a"))))
    assert source == {**image("a")["source"], "url": "/api/attachments/a/content/"}


@places
def test_what_is_stored_stays_as_it_was(around: Any) -> None:
    content = around(image("a"))
    with_urls(content)
    with_base64(content, lambda _: (PNG, b""))
    assert content == around(image("a"))


@places
def test_an_attachment_stands_where_its_kind_may(around: Any) -> None:
    check_attachments(around(image()), "content")
    with pytest.raises(InvalidRequest, match="Must name an image; this attachment is application/pdf"):
        check_attachments(around(image(media_type=PDF)), "content")


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ([TEXT, image(media_type=PDF)], "content.1.source"),
        ([document(media_type=PNG)], "content.0.source"),
        ([TEXT, inside(TEXT, image(media_type=PDF))], "content.1.source.content.1.source"),
        ([result(image(), document(media_type=PNG))], "content.0.content.1.source"),
    ],
)
def test_a_wrong_attachment_is_refused_at_its_place(content: Any, place: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        check_attachments(content, "content")
    assert list(refused.value.details or {}) == [place]


def test_a_document_that_claude_does_not_take_is_for_extraction_only() -> None:
    with pytest.raises(
        UnsupportedMediaType, match="Is text/csv, which Claude does not accept; it can only be used for extraction"
    ):
        check_attachments([document(media_type=CSV)], "content")
    check_attachments([document(media_type=CSV)], "content", {CSV})
    for media_type in (PDF, "text/plain"):
        check_attachments([document(media_type=media_type)], "content")


ODD: dict[str, Any] = {
    "a block that nobody knows": {"type": "hologram", "source": image("a")["source"]},
    "a result of a tool of Claude's": {"type": "code_execution_tool_result", "content": [image("a")]},
    "an image without a source": {"type": "image"},
    "an image whose source is a word": {"type": "image", "source": "a"},
    "a document without a source": {"type": "document"},
    "a result of a word": {"type": "tool_result", "tool_use_id": "t", "content": "a"},
    "a result of words": {"type": "web_fetch_tool_result", "content": ["a"]},
}


@pytest.mark.parametrize("block", ODD.values(), ids=ODD)
def test_what_is_no_source_of_a_users_goes_as_it_came(block: Any) -> None:
    """Blocks of an answer are sent back verbatim, those that are not known among them."""
    assert with_base64([block], unread) == with_urls([block]) == [block]
    assert attachments_in([block]) == set()
    assert not has_sources([block])


def test_what_is_said_in_words_is_no_image() -> None:
    odd = [block for name, block in ODD.items() if name != "a result of a tool of Claude's"]
    assert images_in(odd) == []
    for block in odd[1:]:
        check_attachments([block], "content")


def test_a_source_in_a_search_result_names_no_attachment() -> None:
    check_attachments([SEARCH], "content")
