"""Content from outside is taken in the kinds and within the limits of Claude's, and refused where it is wrong."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from conversations.content import block_checks
from conversations.content.block_checks import checked_blocks, checked_results
from conversations.errors import InvalidRequest, UnsupportedMediaType

TEXT = {"type": "text", "text": "x"}
PDF = base64.b64encode(b"%PDF-1.7\n").decode()
CSV = base64.b64encode("Größe;1".encode("latin-1")).decode()


def document(source: Any, **fields: Any) -> dict[str, Any]:
    return {"type": "document", "source": source, **fields}


def plain(data: Any = "x", **fields: Any) -> dict[str, Any]:
    return document({"type": "text", "media_type": "text/plain", "data": data}, **fields)


def image(url: str) -> dict[str, Any]:
    return {"type": "image", "source": {"type": "url", "url": url}}


def found(**fields: Any) -> dict[str, Any]:
    return {"type": "search_result", "source": "handbook", "title": "Leave", "content": [TEXT], **fields}


def result(**fields: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": "toolu_1", **fields}


LONGEST_URL = "https://example.com/".ljust(block_checks.URL_LIMIT, "x")

TAKEN: dict[str, dict[str, Any]] = {
    "a mark for five minutes": {**TEXT, "cache_control": {"type": "ephemeral", "ttl": "5m"}},
    "a mark for an hour": {**TEXT, "cache_control": {"type": "ephemeral", "ttl": "1h"}},
    "no mark": {**TEXT, "cache_control": None},
    "an image by its address": image("https://example.com/cat.png"),
    "an address with a port": image("https://example.com:8443/cat.png"),
    "the longest address": image(LONGEST_URL),
    "an attachment": {"type": "image", "source": {"type": "attachment", "attachment": "a"}},
    "an attachment as it came from us": document(
        {"type": "attachment", "attachment": "a", "media_type": "application/pdf", "url": "/api/attachments/a/content/"}
    ),
    "a PDF": document({"type": "base64", "media_type": "application/pdf", "data": PDF}),
    "a document of text": plain(),
    "a document with all there is": plain(
        title="T", context="C", citations={"enabled": True}, cache_control={"type": "ephemeral"}
    ),
    "a document with nothing said": plain(title=None, context=None, citations=None),
    "citations without a word": plain(citations={}),
    "a document of one string": document({"type": "content", "content": "one"}),
    "a document of blocks": document({"type": "content", "content": [TEXT, image("https://example.com/a.png")]}),
    "a document by its address": document({"type": "url", "url": "https://example.com/a.pdf"}),
    "a result of a search": found(citations={"enabled": False}),
    "a result without content": result(),
    "a result of text": result(content="sunny"),
    "an empty result": result(content=""),
    "a result of no blocks": result(content=[]),
    "a failed result": result(content="no", is_error=True),
    "a result of every kind": result(
        content=[
            TEXT,
            image("https://example.com/a.png"),
            plain(),
            found(),
            {"type": "tool_reference", "tool_name": "f"},
        ]
    ),
}


@pytest.mark.parametrize("block", TAKEN.values(), ids=TAKEN)
def test_a_block_is_taken_as_it_came(block: dict[str, Any]) -> None:
    assert checked_blocks([block]) == [block]


def test_a_string_is_one_block_of_text() -> None:
    assert checked_blocks("Hello") == [{"type": "text", "text": "Hello"}]


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a type that is no word": ({"type": ["text"]}, "content.0.type"),
    "an address of another kind": (image("http://example.com/cat.png"), "content.0.source.url"),
    "an address of a file": (image("file:///etc/passwd"), "content.0.source.url"),
    "an address of no kind": (image("//example.com/cat.png"), "content.0.source.url"),
    "an address without a host": (image("https:///cat.png"), "content.0.source.url"),
    "an address with a user": (image("https://me@example.com/cat.png"), "content.0.source.url"),
    "an address with a password": (image("https://me:secret@example.com/"), "content.0.source.url"),
    "an address with a broken host": (image("https://[::1/cat.png"), "content.0.source.url"),
    "an address with a port that is none": (image("https://example.com:port/cat.png"), "content.0.source.url"),
    "an address with a port too high": (image("https://example.com:65536/cat.png"), "content.0.source.url"),
    "an address with no port": (image("https://example.com:0/cat.png"), "content.0.source.url"),
    "an address with a line break": (image("https://example.com/\ncat.png"), "content.0.source.url"),
    "an address with a space": (image("https://example.com/my cat.png"), "content.0.source.url"),
    "an address too long": (image(LONGEST_URL + "x"), "content.0.source.url"),
    "an image of text": (
        {"type": "image", "source": {"type": "text", "media_type": "text/plain", "data": "x"}},
        "content.0.source.type",
    ),
    "a source that is none": ({"type": "image", "source": "https://example.com/cat.png"}, "content.0.source.type"),
    "a source with more": (
        {"type": "image", "source": {"type": "url", "url": "https://example.com/", "size": 5}},
        "content.0.source.size",
    ),
    "a source with less": ({"type": "image", "source": {"type": "base64", "data": "x"}}, "content.0.source.media_type"),
    "base64 with a type of an attachment": (
        document({"type": "url", "url": "https://example.com/a.pdf", "media_type": "application/pdf"}),
        "content.0.source.media_type",
    ),
    "a document without text": (plain(" "), "content.0.source.data"),
    "a document of a number": (plain(5), "content.0.source.data"),
    "a document of no blocks": (document({"type": "content", "content": []}), "content.0.source.content"),
    "a document of white space": (document({"type": "content", "content": " "}), "content.0.source.content"),
    "a document of another value": (document({"type": "content", "content": 5}), "content.0.source.content"),
    "a document in a document": (
        document({"type": "content", "content": [TEXT, plain()]}),
        "content.0.source.content.1.type",
    ),
    "a title of a list": (plain(title=["x"]), "content.0.title"),
    "citations with more": (plain(citations={"enabled": True, "style": "short"}), "content.0.citations"),
    "citations that are true": (plain(citations=True), "content.0.citations"),
    "base64 that is no PDF": (
        document({"type": "base64", "media_type": "application/pdf", "data": base64.b64encode(b"Hello").decode()}),
        "content.0.source.media_type",
    ),
    "base64 of an image that is cut": (
        {
            "type": "image",
            "source": {
                "type": "base64",
                "media_type": "image/png",
                "data": base64.b64encode(b"\x89PNG\r\n\x1a\n").decode(),
            },
        },
        "content.0.source.data",
    ),
    "base64 with letters of no base64": (
        document({"type": "base64", "media_type": "application/pdf", "data": "%PDF"}),
        "content.0.source.data",
    ),
    "base64 with a letter beyond ASCII": (
        document({"type": "base64", "media_type": "application/pdf", "data": "ä"}),
        "content.0.source.data",
    ),
    "base64 with a line break": (
        document({"type": "base64", "media_type": "application/pdf", "data": f"{PDF[:4]}\n{PDF[4:]}"}),
        "content.0.source.data",
    ),
    "a search result without text": (found(content=[]), "content.0.content"),
    "a search result of a string": (found(content="x"), "content.0.content"),
    "a search result with an image": (
        found(content=[TEXT, image("https://example.com/a.png")]),
        "content.0.content.1.type",
    ),
    "a search result with citations of a word": (found(citations="yes"), "content.0.citations"),
    "a search result without a title": (found(title="\n"), "content.0.title"),
    "a search result from nowhere": (found(source=""), "content.0.source"),
    "a result of no call": (result(tool_use_id=""), "content.0.tool_use_id"),
    "a result with an error of a word": (result(is_error="no"), "content.0.is_error"),
    "a result with an error of null": (result(is_error=None), "content.0.is_error"),
    "a result of a number": (result(content=5), "content.0.content"),
    "a result in a result": (result(content=[TEXT, result()]), "content.0.content.1.type"),
    "a reference to no tool": (
        result(content=[{"type": "tool_reference", "tool_name": " "}]),
        "content.0.content.0.tool_name",
    ),
}


@pytest.mark.parametrize(("block", "place"), REFUSED.values(), ids=REFUSED)
def test_a_block_is_refused_at_its_place(block: dict[str, Any], place: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        checked_blocks([block])
    assert list(refused.value.details or {}) == [place]
    assert refused.value.message.startswith(f"{place}: ")


@pytest.mark.parametrize(
    ("block", "place"),
    [
        (document({"type": "text", "media_type": "text/html", "data": "x"}), "content.0.source.media_type"),
        (document({"type": "base64", "media_type": "text/plain", "data": "eA=="}), "content.0.source.media_type"),
        (document({"type": "base64", "media_type": "application/pdf", "data": "AAE="}), "content.0.source.data"),
        (
            {"type": "image", "source": {"type": "base64", "media_type": "image/tiff", "data": "eA=="}},
            "content.0.source.media_type",
        ),
    ],
    ids=["HTML as text", "text as base64", "bytes of no known kind", "a TIFF"],
)
def test_another_media_type_is_refused_as_such(block: dict[str, Any], place: str) -> None:
    with pytest.raises(UnsupportedMediaType) as refused:
        checked_blocks([block])
    assert refused.value.details == {place: "unsupported"}


def test_text_in_another_encoding_is_taken_where_tables_are() -> None:
    table = document({"type": "base64", "media_type": "text/csv", "data": CSV})
    assert checked_blocks([table], documents={"text/csv"}) == [table]


def test_what_is_no_text_is_no_table() -> None:
    with pytest.raises(InvalidRequest, match="Says text/csv, but the data is application/pdf"):
        checked_blocks([document({"type": "base64", "media_type": "text/csv", "data": PDF})], documents={"text/csv"})


def test_a_table_in_utf_8_is_taken_though_it_is_any_text() -> None:
    table = document({"type": "base64", "media_type": "text/csv", "data": base64.b64encode(b"a;b").decode()})
    assert checked_blocks([table], documents={"text/csv"}) == [table]


@pytest.mark.parametrize(
    ("media_type", "kind", "limit"),
    [
        ("image/png", "image", block_checks.IMAGE_BASE64_LIMIT),
        ("application/pdf", "document", block_checks.DOCUMENT_BASE64_LIMIT),
    ],
)
def test_base64_that_is_too_long_is_said_to_be_and_not_decoded(media_type: str, kind: str, limit: int) -> None:
    source = {"type": "base64", "media_type": media_type, "data": "!" * (limit + 1)}
    with pytest.raises(InvalidRequest, match=f"Must have at most {limit} characters"):
        checked_blocks([{"type": kind, "source": source}])
    with pytest.raises(InvalidRequest, match="Must be base64"):
        checked_blocks([{"type": kind, "source": {**source, "data": "!" * limit}}])


@pytest.mark.parametrize(("number", "taken"), [(0, False), (1, True), (1000, True), (1001, False)])
def test_content_has_one_to_a_thousand_blocks(number: int, taken: bool) -> None:
    """So have the results of tools."""
    results: list[object] = [{"tool_use_id": f"t{at}", "content": "x"} for at in range(number)]
    if taken:
        assert len(checked_blocks([TEXT] * number)) == len(checked_results(results)) == number
        return
    with pytest.raises(InvalidRequest, match="1 to 1000 blocks"):
        checked_blocks([TEXT] * number)
    with pytest.raises(InvalidRequest, match="1 to 1000 results"):
        checked_results(results)


def test_results_of_tools_become_blocks_that_say_whether_they_failed() -> None:
    given: list[object] = [{"tool_use_id": "a", "content": "x"}, {"tool_use_id": "b", "content": "y", "is_error": True}]
    assert checked_results(given) == [
        {"type": "tool_result", "tool_use_id": "a", "content": "x", "is_error": False},
        {"type": "tool_result", "tool_use_id": "b", "content": "y", "is_error": True},
    ]


@pytest.mark.parametrize(
    ("given", "place"),
    [
        (["x"], "results.0"),
        ([{"tool_use_id": "a", "content": "x"}, {"content": "x"}], "results.1.tool_use_id"),
        ([{"tool_use_id": "a"}], "results.0.content"),
        ([{"tool_use_id": "a", "content": "x", "type": "text"}], "results.0.type"),
        ([{"tool_use_id": "a", "content": "x"}] * 2, "results"),
        ([{"tool_use_id": "a", "content": "\0"}], "results.0.content"),
    ],
    ids=["no object", "of no call", "of nothing", "with a type", "twice of one call", "with NUL"],
)
def test_a_result_is_refused_at_its_place(given: list[object], place: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        checked_results(given)
    assert list(refused.value.details or {}) == [place]


def test_the_first_of_several_unknown_fields_is_named_whatever_the_process() -> None:
    block = {**TEXT, "colour": "red", "b": 1, "a": 2}
    with pytest.raises(InvalidRequest) as refused:
        checked_blocks([block])
    assert list(refused.value.details or {}) == ["content.0.colour"]
