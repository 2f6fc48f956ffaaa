"""Input that is too long for its model is refused before it is sent; only input that may be too long is counted."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.claude import catalogue, fitting
from conversations.claude.fitting import check_fits, most_tokens, most_tokens_of
from conversations.errors import ClaudeError, InvalidRequest

MODEL = "claude-sonnet-4-6"
WINDOW = catalogue.find(MODEL).context_window  # type: ignore[union-attr]


def document(**source: Any) -> dict[str, Any]:
    return {"type": "document", "source": source}


PARTS: dict[str, tuple[object, int]] = {
    "nothing": (None, 4),
    "text": ("abc", 3),
    "text of more bytes than letters": ("ä🎉", 6),
    "a number": (1234, 4),
    "a list": (["abc", "de"], 5),
    "an object": ({"type": "text", "text": "abc"}, len("type") + len("text") + len("text") + 3),
    "an image, however large": ({"type": "image", "source": {"type": "base64", "data": "x" * 10**6}}, 5000),
    "an image by its address": ({"type": "image", "source": {"type": "url", "url": "https://example.com/"}}, 5000),
    "a PDF of one byte": (document(type="base64", media_type="application/pdf", size=1), 8000),
    "a PDF of one page at most": (document(type="base64", media_type="application/pdf", size=499), 8000),
    "a PDF of two pages at most": (document(type="base64", media_type="application/pdf", size=500), 16_000),
    "a PDF whose data is there": (document(type="base64", media_type="application/pdf", data="x" * 668), 16_000),
    "a text by its size": (document(type="base64", media_type="text/plain", size=123), 123),
    "a text by its data": (document(type="base64", media_type="text/plain", data="x" * 8), 6),
    "a block not known by an address": (
        {"type": "hologram", "source": {"type": "url"}},
        len("type" + "hologram" + "source" + "type" + "url"),
    ),
    "a document whose source is a word": (
        {"type": "document", "source": "url"},
        len("type" + "document" + "source" + "url"),
    ),
    "a document by its address": (document(type="url", url="https://example.com/a.pdf"), 4_800_000),
    "a document of text": (
        document(type="text", media_type="text/plain", data="abc"),
        sum(map(len, ("type", "document", "source", "type", "text", "media_type", "text/plain", "data", "abc"))),
    ),
    "a search result, whose source is a string": (
        {"type": "search_result", "source": "here"},
        len("type" + "search_result" + "source" + "here"),
    ),
}


@pytest.mark.parametrize(("part", "most"), PARTS.values(), ids=PARTS)
def test_a_part_has_at_most(part: object, most: int) -> None:
    assert most_tokens_of(part) == most


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.lists(json), json)
def test_more_content_never_has_fewer(content: list[object], more: object) -> None:
    assert most_tokens_of([*content, more]) >= most_tokens_of(content)


def test_a_request_has_those_of_its_prompt_its_tools_and_its_messages() -> None:
    parts: Any = {"system": "abc", "tools": [{"name": "f"}], "messages": [{"role": "user", "content": "Hello"}]}
    whole: Any = {"model": MODEL, "max_tokens": 64_000, **parts}
    assert most_tokens(whole) == sum(most_tokens_of(each) for each in parts.values())


class Counted:
    """A stub of Claude's token count, which records how often it was called."""

    def __init__(self, answer: int | ClaudeError) -> None:
        self.answer, self.asked = answer, 0

    async def __call__(self, request: object) -> int:
        self.asked += 1
        if isinstance(self.answer, ClaudeError):
            raise self.answer
        return self.answer


def request(characters: int, model: str = MODEL) -> Any:
    """Return a request that has at most so many tokens."""
    empty = {"model": model, "messages": [{"role": "user", "content": ""}]}
    fixed = most_tokens(empty)  # type: ignore[arg-type]
    return {"model": model, "messages": [{"role": "user", "content": "x" * (characters - fixed)}]}


@pytest.mark.parametrize(("characters", "asked"), [(WINDOW, 0), (WINDOW + 1, 1)])
async def test_only_what_could_be_too_long_is_counted(characters: int, asked: int) -> None:
    count = Counted(5)
    await check_fits(request(characters), count)
    assert count.asked == asked


async def test_what_fills_the_window_is_taken_and_a_token_more_is_not() -> None:
    await check_fits(request(2 * WINDOW), Counted(WINDOW))
    with pytest.raises(InvalidRequest) as refused:
        await check_fits(request(2 * WINDOW), Counted(WINDOW + 1))
    assert refused.value.details == {"input_tokens": WINDOW + 1, "context_window": WINDOW}
    assert f"has {WINDOW + 1} tokens; {MODEL} takes at most {WINDOW}" in refused.value.message


async def test_where_claude_can_not_count_the_request_itself_will_tell() -> None:
    count = Counted(ClaudeError())
    await check_fits(request(2 * WINDOW), count)
    assert count.asked == 1


async def test_of_a_model_that_is_not_known_nothing_is_counted() -> None:
    count = Counted(10**9)
    await check_fits(request(10**7, "llama"), count)
    assert count.asked == 0


def test_no_bound_of_a_file_is_below_what_claude_counts() -> None:
    """An image has at most 4,784 tokens, a page 3,000 more for its text, a request 600 pages (claude-api.md 6)."""
    assert fitting.IMAGE >= 4784
    assert fitting.PAGE >= 4784 + 3000
    assert fitting.PAGES >= 600
