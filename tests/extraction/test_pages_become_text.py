# ruff: noqa: RUF001 - quotation marks and dashes are tested here
"""HTML is converted to the lines that a reader sees, whatever its elements are and however they are nested."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.errors import UnsupportedMediaType
from extraction.documents.html import text_of

SEEN = {
    "blocks": ("<div>a<div>b</div>c</div>", "a\nb\nc"),
    "paragraphs have a line between them": ("<p>a</p><p>b</p>", "a\n\nb"),
    "never more than one": ("<p>a</p><p></p><h1></h1><p>b</p>", "a\n\nb"),
    "headings": ("<h1>a</h1>b<h6>c</h6>d", "a\n\nb\nc\n\nd"),
    "words within a line": ("a <b>b</b><i>c</i> <del>d</del><ins>e</ins>", "a bc de"),
    "line breaks": ("a<br>b<br/><br>c", "a\nb\nc"),
    "white space": ("  a \n\t b\xa0 c  ", "a b\xa0 c"),
    "lists": ("<ul><li>a<li>b<ol><li>c</ol></ul>d", "- a\n- b\n- c\nd"),
    "new elements": ("<main><article>a</article><nav>b</nav></main><footer>c</footer>", "a\nb\nc"),
    "what is kept as it is": ("<pre>a\n  b\n\nc </pre>d", "a\n  b\n\nc \nd"),
    "pictures": ('a <img alt="b"> c <img src="x">d', "a b c d"),
    "what is not shown": (
        "<head><title>x</title></head>a<script>x</script><style>x</style><noscript>x</noscript><!-- x -->b",
        "ab",
    ),
    "templates": ("a<template><p>x</p></template>b", "ab"),
    "characters by name": ("&lt;a&gt; &amp; &euro;5 &#8211; &#x2014;", "<a> & €5 – —"),
    "fields of forms": ("<form><label>a</label><input value=x><textarea>b</textarea></form>c", "ab\nc"),
    "broken markup": ("<p>a<b>b</p>c</i></div>d", "ab\n\ncd"),
    "a table": ("<table><tr><td>a<td>b<tr><th>c<th></table>d", "a | b\nc\n\nd"),
    "lines in a cell": ("<table><tr><td>a<p>b</p><br>c<td><ul><li>d<li>e</ul></table>", "a b c | - d - e"),
    "an empty row": ("<table><tr><td>a</td></tr><tr><td> </td></tr><tr><td>b</td></tr></table>", "a\n\nb"),
    "words beside the cells": ("<table><tr>a<td>b</td>c</tr><tr>d</tr></table>", "a | b | c\nd"),
    "a caption": ("<table><caption>a</caption><tr><td>b</td></tr></table>", "a\nb"),
    "parts of a table": (
        "<table><thead><tr><td>a</td></tr></thead><tbody><tr><td>b</td></tr></tbody><tfoot><tr><td>c</td></tr></tfoot></table>",
        "a\nb\nc",
    ),
    "a table that places others": (
        "<table><tr><td>a</td><td><table><tr><td>b</td><td>c</td></tr></table></td></tr></table>",
        "a\nb | c",
    ),
    "a cell that spans": ("<table><tr><td colspan=2>a</td><td>b</td></tr></table>", "a | b"),
}


@pytest.mark.parametrize("name", SEEN)
def test_it_is_read_so(name: str) -> None:
    markup, text = SEEN[name]
    assert text_of(markup) == text


@pytest.mark.parametrize("markup", ["", "   ", "<!-- x -->"])
def test_where_there_is_nothing_it_is_said(markup: str) -> None:
    with pytest.raises(UnsupportedMediaType, match="no text"):
        text_of(markup)


words = st.text("abcé日", min_size=1, max_size=4)
tags = st.sampled_from(["p", "div", "b", "span", "li", "td", "tr", "table", "section", "h2", "pre", "xyz"])
trees = st.recursive(words, lambda inner: st.tuples(tags, st.lists(inner, max_size=3)), max_leaves=8)


def markup_of(tree: object) -> str:
    if isinstance(tree, tuple):
        return f"<{tree[0]}>{''.join(map(markup_of, tree[1]))}</{tree[0]}>"
    return str(tree)


def said_in(tree: object) -> str:
    return "".join(map(said_in, tree[1])) if isinstance(tree, tuple) else str(tree)


@given(st.lists(trees, min_size=1, max_size=4))
def test_every_word_is_there_once(several: list[object]) -> None:
    """In invalid pages their order is the parser's, which moves words out of tables."""
    found = text_of(f"<p>x</p>{''.join(map(markup_of, several))}")
    kept = [each for each in found if each not in " \n-|"]
    assert sorted(kept) == sorted(["x", *"".join(map(said_in, several))])
    assert "\n\n\n" not in found
