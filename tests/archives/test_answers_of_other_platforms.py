"""Answers of claude.ai and ChatGPT become text, thinking, or blocks that are shown but not sent to Claude."""

from __future__ import annotations

from typing import Any

import pytest

from tests.archives.converting import claude_answer, gpt_answer

TEXT = {"type": "text", "text": "Green."}


def text(said: str) -> dict[str, Any]:
    return {"type": "text", "text": said}


def artifact(content: str, **more: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": "t", "name": "artifacts", "input": {"content": content, **more}}


def call(id: str, name: str, input: dict[str, Any]) -> dict[str, Any]:
    return {"type": "server_tool_use", "id": id, "name": name, "input": input}


CLAUDE: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]] = {
    "text": (TEXT, [TEXT]),
    "what was spoken": ({"type": "voice_note", "text": "Green."}, [TEXT]),
    "a code artifact": (
        artifact("x = 1", title="Sum", language="python"),
        [text("**Sum**\n\n```python\nx = 1\n```")],
    ),
    "an artifact with a fence": (artifact("```a```"), [text("**Artifact**\n\n````\n```a```\n````")]),
    "an artifact with a longer fence": (artifact("`````"), [text("**Artifact**\n\n``````\n`````\n``````")]),
    "an artifact in no language": (artifact("x", language="a\n```"), [text("**Artifact**\n\n```\nx\n```")]),
    "an artifact in C++": (artifact("x", language="c++"), [text("**Artifact**\n\n```c++\nx\n```")]),
    "an artifact that was changed": (
        {"type": "tool_use", "id": "t", "name": "artifacts", "input": {"old_str": "a", "new_str": "b"}},
        [call("t", "artifacts", {"old_str": "a", "new_str": "b"})],
    ),
    "a call whose name and id are not Claude's": (
        {"type": "tool_use", "id": "ä b", "name": "web search", "input": {"q": 1}},
        [call("__b", "web_search", {"q": 1})],
    ),
    "a call without name, id and input": ({"type": "tool_use"}, [call("unknown", "unknown", {})]),
    "a result of texts and of pages": (
        {
            "type": "tool_result",
            "tool_use_id": "t",
            "content": [{"text": "One"}, {"title": "Two", "url": "https://two"}, {"url": "https://three"}, "four", {}],
        },
        [
            {
                "type": "imported_tool_result",
                "tool_use_id": "t",
                "content": [text("One"), text("Two https://two"), text("https://three"), text("")],
            }
        ],
    ),
    "thinking": ({"type": "thinking", "thinking": "Hm.", "cut_off": False}, [{"type": "thinking", "thinking": "Hm."}]),
}


@pytest.mark.parametrize("name", CLAUDE)
def test_a_block_of_claude_ai(name: str) -> None:
    block, expected = CLAUDE[name]
    assert claude_answer(block) == (expected, [])


@pytest.mark.parametrize("kind", ["token_budget", "flag", "redacted_thinking"])
def test_blocks_that_say_nothing_are_left_out_silently(kind: str) -> None:
    assert claude_answer({"type": kind}, TEXT) == ([TEXT], [])


@pytest.mark.parametrize("empty", [{"type": "text", "text": " \n"}, {"type": "thinking", "thinking": ""}])
def test_empty_blocks_are_left_out_silently(empty: dict[str, Any]) -> None:
    """Claude refuses requests with empty text."""
    assert claude_answer(empty, TEXT) == ([TEXT], [])


def test_a_block_of_an_unknown_kind_is_named_in_the_report() -> None:
    assert claude_answer({"type": "dream" * 20}, TEXT) == (
        [TEXT],
        [f"A block of the kind {('dream' * 20)[:50]!r} is left out."],
    )


def test_sources_are_listed_once_in_order() -> None:
    cited = [{"details": {"url": url}} for url in ("https://b", "https://a", "https://b", "")]
    blocks, _ = claude_answer({**TEXT, "citations": cited}, {**TEXT, "citations": cited[:1]})
    assert blocks[2:] == [text("Sources:\n- https://a\n- https://b")]


def gpt(kind: str, **content: Any) -> dict[str, Any]:
    return {"content_type": kind, **content}


IMAGE = {"content_type": "image_asset_pointer", "asset_pointer": "file-service://file-abcdef"}
GPT: dict[str, tuple[Any, dict[str, Any], list[dict[str, Any]]]] = {
    "text in parts": (gpt("text", parts=["One", "", "Two"]), {}, [text("One\n\nTwo")]),
    "signs of citations": (gpt("text", parts=["A \ue200cite\ue202x\ue201b\ue203c"]), {}, [text("A bc")]),
    "code for its own sake": (
        gpt("code", text="ls", language="bash"),
        {},
        [text("```bash\nls\n```")],
    ),
    "code in no language": (gpt("code", text="ls", language="unknown"), {}, [text("```\nls\n```")]),
    "code that Python ran": (gpt("code", text="1"), {"recipient": "python"}, [text("```python\n1\n```")]),
    "code with a fence": (gpt("code", text="```"), {}, [text("````\n```\n````")]),
    "a call of a tool": (
        gpt("code", text="search('tea')"),
        {"recipient": "web.run"},
        [call("a", "web.run", {"text": "search('tea')"})],
    ),
    "a tool whose name begins like Python's": (
        gpt("text", parts=["x"]),
        {"recipient": "pythonic"},
        [call("a", "pythonic", {"text": "x"})],
    ),
    "thoughts": (
        gpt(
            "thoughts",
            thoughts=[{"summary": "Tea", "content": "It is."}, {"summary": "", "content": ""}, {"content": "So."}],
        ),
        {},
        [{"type": "thinking", "thinking": "Tea\nIt is.\n\nSo."}],
    ),
    "speech": (
        gpt(
            "multimodal_text",
            parts=[{"content_type": "audio_transcription", "text": "Hello"}, {"content_type": "audio_asset_pointer"}],
        ),
        {},
        [text("Hello")],
    ),
    "pages that it read": (
        "Tea.",
        {
            "metadata": {
                "citations": [{"metadata": {"url": "https://b"}}],
                "content_references": [{"url": "http://a"}, {"url": "file:c"}],
            }
        },
        [text("Tea."), text("Sources:\n- http://a\n- https://b")],
    ),
}


@pytest.mark.parametrize("name", GPT)
def test_an_answer_of_chatgpt(name: str) -> None:
    content, more, expected = GPT[name]
    assert gpt_answer(content, **more) == (expected, [])


@pytest.mark.parametrize(
    "content",
    [gpt("thoughts", thoughts=[]), gpt("reasoning_recap", content="Thought for 2 s"), gpt("text", parts=[" "])],
)
def test_what_says_nothing_makes_no_message(content: Any) -> None:
    assert gpt_answer(content) == ([], [])


def test_an_image_in_an_answer_is_named_in_the_report() -> None:
    blocks, notes = gpt_answer(gpt("multimodal_text", parts=["Look:", IMAGE]))
    assert (blocks, notes) == ([text("Look:")], ["An image in an answer (file-abcdef) is left out."])


RESULTS = {
    "output of code": (gpt("execution_output", text="1"), text("Output:\n\n```\n1\n```")),
    "text": (gpt("text", parts=["Done"]), None),
    "a quotation": (gpt("tether_quote", text="Done"), None),
    "a result": (gpt("tether_browsing_display", result="Done"), None),
}


@pytest.mark.parametrize("name", RESULTS)
def test_what_a_tool_of_chatgpt_came_to(name: str) -> None:
    content, expected = RESULTS[name]
    shown = {"type": "imported_tool_result", "tool_use_id": "q", "content": [text("Done")]}
    assert gpt_answer(content, role="tool") == ([expected or shown], [])


def test_an_image_that_a_tool_made_but_is_not_there_leaves_a_text() -> None:
    blocks, notes = gpt_answer(gpt("multimodal_text", parts=[IMAGE]), role="tool")
    assert blocks == [
        text("[An image that the assistant made]"),
        text("[File: file-abcdef, which is not in the archive]"),
    ]
    assert notes == ["The file file-abcdef is not in the archive; a text says so in its place."]
