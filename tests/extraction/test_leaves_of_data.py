"""Each value of the data has one claim, by its JSON Pointer; claims about other paths are dropped."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extraction.documents.sources import Source
from extraction.evidence.finding import Claim
from extraction.evidence.leaves import claims_for, leaves, pointer
from extraction.evidence.on_pages import quotes_on_page
from extraction.schemas.dialect import at_pointer

DATA: Any = {"a/b": [1, None, {"c~": "x"}], "d": {}, "e": [], "": True, "f": None, "g": Decimal("1.50")}


def test_leaves_are_strings_numbers_and_booleans_in_their_order() -> None:
    assert list(leaves(DATA)) == [
        ("/a~1b/0", 1),
        ("/a~1b/2/c~0", "x"),
        ("/", True),
        ("/g", Decimal("1.50")),
    ]
    assert list(leaves("x")) == [("", "x")]
    assert list(leaves(None)) == []


@given(
    st.recursive(
        st.integers() | st.text(max_size=3),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("a~/% é", max_size=3), inner, max_size=3),
        max_leaves=8,
    ).filter(lambda data: isinstance(data, dict))
)
def test_each_path_leads_to_its_value(data: Any) -> None:
    found = list(leaves(data))
    assert len({path for path, _ in found}) == len(found)
    for path, value in found:
        assert at_pointer(f"#{path.replace('%', '%25')}", data) == value


@pytest.mark.parametrize(("step", "written"), [("a", "/a"), (3, "/3"), ("~1", "/~01"), ("/~", "/~1~0"), ("", "/")])
def test_a_step_is_escaped(step: Any, written: str) -> None:
    assert pointer(step) == written


def test_a_value_has_what_claude_said_or_else_itself() -> None:
    data: Any = {"a": "Jane", "b": 12345, "c": "abc", "d": True, "e": ["long enough"], "f": Decimal("19.90")}
    said = [
        Claim("/a", " "),
        Claim("/a", "Jane Doe"),
        Claim("/a", "another"),
        Claim("/z", "nowhere"),
        Claim("/e", "a list is no value"),
        Claim("/c", "as it stands"),
    ]
    assert [(each.path, each.quote) for each in claims_for(data, said)] == [
        ("/a", "Jane Doe"),
        ("/b", "12345"),
        ("/c", "as it stands"),
        ("/d", ""),
        ("/e/0", "long enough"),
        ("/f", "19.90"),
    ]


@pytest.mark.parametrize(("value", "quote"), [("abc", ""), ("abcd", "abcd"), (999, ""), (1000, "1000"), (False, "")])
def test_what_could_stand_anywhere_is_not_looked_for(value: Any, quote: str) -> None:
    """Values of fewer than four characters occur by chance in any text."""
    assert claims_for(value, []) == [Claim("", quote)]


def test_a_quote_on_a_page_is_told_with_how_often_it_stands_there_before() -> None:
    source = Source(0, "pdf", "tea tea\ftea cup tea", (0, 8))
    spans = [(0, 3), (4, 7), (8, 11), (16, 19), (12, 15), (None, None)]
    evidence: Any = [{"start": start, "end": end} for start, end in spans]
    assert quotes_on_page(source, 1, evidence[:2]) == [("tea", 0), ("tea", 1)]
    assert quotes_on_page(source, 2, evidence[2:]) == [("tea", 0), ("tea", 1), ("cup", 0)]
    nowhere: Any = [{}, {"start": 3, "end": 3}]
    assert quotes_on_page(source, 1, nowhere) == []
