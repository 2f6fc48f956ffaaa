"""Text documents of ChatGPT's canvas become text of its answers, as they were written and changed."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.archives.converting import gpt_answer

CALLS: dict[str, tuple[str, dict[str, Any], str]] = {
    "a new text": (
        "create_textdoc",
        {"name": "Tea", "type": "document", "content": "# Tea\n\nIt is green."},
        "**Tea**\n\n# Tea\n\nIt is green.",
    ),
    "new code": (
        "create_textdoc",
        {"name": "sum", "type": "code/python", "content": "1 + 1"},
        "**sum**\n\n```python\n1 + 1\n```",
    ),
    "code with a fence in it": (
        "create_textdoc",
        {"type": "code/markdown", "content": "```x```"},
        "**Document**\n\n````markdown\n```x```\n````",
    ),
    "halves of characters": (
        "create_textdoc",
        {"name": "Tea \ud83d", "type": "document", "content": "\ud83d\ude00 \ude00\0"},
        "**Tea \ufffd**\n\n\U0001f600 \ufffd",
    ),
    "all of it anew": (
        "update_textdoc",
        {"updates": [{"pattern": ".*", "multiple": False, "replacement": "It is black."}]},
        "The document is now:\n\n```\nIt is black.\n```",
    ),
    "two changes": (
        "update_textdoc",
        {"updates": [{"pattern": "gr[e]+n", "replacement": "black"}, {"pattern": "is", "replacement": "was"}, 5]},
        (
            "In the document, in the place of `gr[e]+n`:\n\n```\nblack\n```\n\n"
            "In the document, in the place of `is`:\n\n```\nwas\n```"
        ),
    ),
    "comments": (
        "comment_textdoc",
        {"comments": [{"pattern": "green", "comment": "Is it?"}]},
        "On `green` in the document: Is it?",
    ),
}


def canvas(function: str, said: str) -> list[dict[str, Any]]:
    blocks, notes = gpt_answer({"content_type": "code", "text": said}, recipient=f"canmore.{function}")
    assert notes == []
    return blocks


@pytest.mark.parametrize("name", CALLS)
def test_what_was_done_in_the_canvas_can_be_read(name: str) -> None:
    function, given, expected = CALLS[name]
    assert canvas(function, json.dumps(given)) == [{"type": "text", "text": expected}]


@pytest.mark.parametrize(
    ("function", "said"),
    [
        pytest.param("create_textdoc", '{"name": "Tea", "con', id="cut"),
        pytest.param("create_textdoc", '["Tea"]', id="a list"),
        pytest.param("create_textdoc", '{"name": "Tea"}', id="without content"),
        pytest.param("update_textdoc", '{"updates": []}', id="without changes"),
        pytest.param("fold_textdoc", '{"content": "Tea"}', id="a function that is not known"),
        pytest.param("create_textdoc", "[" * 100_000, id="deep"),
    ],
)
def test_what_cannot_be_read_so_stays_as_it_was(function: str, said: str) -> None:
    assert canvas(function, said) == [{"type": "text", "text": f"```\n{said}\n```"}]


def test_no_pattern_is_ever_looked_for() -> None:
    """The pattern is an untrusted regular expression, which may run for ever."""
    updates = [{"pattern": "(a+)+$", "replacement": "b"}]
    began = time.process_time()
    canvas("create_textdoc", json.dumps({"content": "a" * 5000 + "!"}))
    assert "(a+)+$" in canvas("update_textdoc", json.dumps({"updates": updates}))[0]["text"]
    assert time.process_time() - began < 1
