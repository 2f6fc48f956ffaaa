"""The snippets of search results are harmless HTML, whatever the messages contain."""

from __future__ import annotations

from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.content.search_query import parsed
from conversations.content.snippets import AFTER, PART, snippet
from tests.clients import Api

QUIETLY = "[[sandbox: text=Yes]]"
HOSTILE = [
    "<mark>needle</mark> <img src=x onerror=alert(1)>",
    'needle <img src="x" onerror="alert(1)"',
    "<script>x</script> needle <svg/onload=alert(1)>",
    "</mark><iframe srcdoc='needle'> needle",
    "&lt;img src=x&gt; needle &amp; &#60;b&#62;",
    "needle<!-- --><a href='javascript:alert(1)'>needle</a>",
    "http://needle.example/?a=1&b=<b> needle",
    "1 < 2 needle > & \x01\x02\ufdd0",
]


class Tags(HTMLParser):
    """A parser that collects the tags and comments of HTML, and the marked text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag if not attributes else f"{tag} {attributes}")

    def handle_comment(self, data: str) -> None:
        self.tags.append("comment")


def plain(snippet: str) -> str:
    return unescape(snippet.replace("<mark>", "").replace("</mark>", ""))


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("place", ["title", "message"])
def test_marks_are_its_only_tags(api: Api, text: str, place: str) -> None:
    conversation = api.conversation(title=text if place == "title" else "")
    if place == "message":
        api.ask(f"{text} {QUIETLY}", conversation)
    [row] = api.get("conversations/?q=needle").json()["results"]
    assert set(Tags(row["snippet"]).tags) == {"mark"}
    assert plain(row["snippet"]) in f"{text} {QUIETLY}"
    assert "<mark>needle</mark>" in row["snippet"]


WORDS = ["tea", "milk", "sugar"]


@given(st.lists(st.sets(st.sampled_from(WORDS), min_size=1), min_size=1, max_size=8))
def test_the_piece_is_the_first_where_most_words_stand_close_together(together: list[set[str]]) -> None:
    text = f" {'x' * AFTER} ".join(" ".join(words) for words in together)
    shown = snippet(text, parsed(" ".join(WORDS)))
    assert {word for word in WORDS if f"<mark>{word}</mark>" in shown} == max(together, key=len)


@pytest.mark.parametrize("sign", ["一", "ก"])
def test_a_sign_that_is_everywhere_is_marked_wherever_it_is_shown(sign: str) -> None:
    assert snippet(sign * 2 * PART, parsed(sign)) == f"<mark>{sign}</mark>" * AFTER
