# ruff: noqa: RUF001 - characters that look alike are tested here
"""Substrings, beginnings of words, phrases and paths of a text match it, in any script.

A text matches if all of a query's look-ups are among its index terms, and all its patterns match the marked text;
PostgreSQL is asked the same.
"""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from conversations.content.search_query import SearchQuery, parsed
from conversations.content.search_text import BOUNDARY, folded, index_terms, marked, segments

SPACED = "abcxyzABCéøßđабвέσقلمכתבहिन्दी0123456789"
SUBSTRINGS = ("日本語東京都茶がパひらカナ中文测试", "สวัสดีชาวโลกกำลังผู้", "한국어검색문장", "ລາວພາສາ", "မြန်မာ", "ភាសាខ្មែរ")
WORDS = st.lists(st.text(SPACED, min_size=1, max_size=12), min_size=1, max_size=12)
PLACES = st.tuples(st.floats(0, 1), st.floats(0, 1))


def finds(query: SearchQuery, text: str) -> bool:
    """Return whether a text matches a query, as PostgreSQL's indexes and patterns decide it."""
    terms, whole = index_terms(folded(text)), marked(folded(text))
    looked_up = all(
        any(term.startswith(lookup) if begins else term == lookup for term in terms)
        for lookup, begins in query.lookups()
    )
    patterns = [re.sub(r"\\(.)", r"\1", pattern[1:-1]) for pattern in query.like_patterns()]
    return looked_up and all(pattern in whole for pattern in patterns)


def part(pieces: list[str], places: tuple[float, float]) -> tuple[int, int]:
    """Return the start and end of a part of the pieces, which has at least one."""
    start = round(min(places) * (len(pieces) - 1))
    return start, max(start + 1, round(max(places) * len(pieces)))


@given(st.sampled_from(SUBSTRINGS).flatmap(lambda alphabet: st.text(alphabet, min_size=1, max_size=60)), PLACES)
def test_any_substring_where_words_are_not_spaced(text: str, places: tuple[float, float]) -> None:
    parts = segments(text)
    start, end = part([each.folded for each in parts], places)
    typed = text[parts[start].start : parts[end - 1].end]
    assume(parsed(typed).terms)
    assert finds(parsed(typed), f"abc {text}. def")
    assert finds(parsed(f'"{typed}"'), f"abc{text}12")


@given(WORDS, st.integers(0), st.integers(1))
def test_any_beginning_of_a_word(words: list[str], which: int, length: int) -> None:
    word = words[which % len(words)]
    parts = segments(word)
    typed = word[: parts[(length - 1) % len(parts)].end]
    assert finds(parsed(typed), " ".join(words))


@given(WORDS, PLACES, st.sampled_from([" ", ", ", "\n\n", " – ", "/"]))
def test_any_phrase(words: list[str], places: tuple[float, float], between: str) -> None:
    start, end = part(words, places)
    text = between.join(words)
    assert finds(parsed(f'"{between.join(words[start:end])}"'), f"({text})")


@given(WORDS, st.randoms(use_true_random=False))
def test_all_words_in_any_order(words: list[str], random: object) -> None:
    text = " ".join(words)
    random.shuffle(words)  # type: ignore[attr-defined]
    assert finds(parsed(" ".join(words)), text)
    assert not finds(parsed(" ".join([*words, "missing"])), text)


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("2.10.3", "Use v2.10.3, please"),
        ("2.10.3", "2.10.3"),
        ("v2.10", "Use v2.10.3"),
        ("/usr/local", "in /usr/local/bin"),
        ("usr/local/b", "in /usr/local/bin"),
        ("C:\\Windows", "at c:\\windows\\System32"),
        ("100%", "It is 100% true"),
        ("snake_case", "a snake_case_name"),
        ("case", "a snake_case_name"),
        ("c++", "in C++ only"),
        ("++", "in C++ only"),
        ("-rf", "rm -rf it"),
        ("me@example.com", "mail me@example.com."),
        ("tea?", "tea"),
        ("(tea", "some tea"),
        ("don't", "I don’t know"),
        ("🎉", "done 🎉🎊"),
        ("東京", "今日は東京都へ"),
        ("本", "日本"),
        ("สวัสดี", "บอกว่าสวัสดีครับ"),
        ("ｶﾞｽ", "都市ガス"),
        ("국어", "한국어를 배우다"),
        ("كتاب", "هذا كِتَابٌ"),
        ("हिन्", "यह हिन्दी है"),
        ("x" * 80, f"{'x' * 90} y"),
        ('"green tea', "greens and green teas"),
        ("or", "this or that"),
    ],
)
def test_found(typed: str, text: str) -> None:
    assert finds(parsed(typed), text)


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("2.10.3", "2.1.103"),
        ("2.10.3", "3 and 10 and 2"),
        ("2.10.3", "12.10.3"),
        ("/usr/local", "usr local"),
        ("eapot", "teapot"),
        ('"green tea"', "tea, green"),
        ('"green tea"', "green teas"),
        ("100%", "1000"),
        ("a_c", "abc"),
        ("東京都", "東京と京都"),
        ("สวัสดี", "สวัส ดีสวั วัสดี"),
        ("tea coffee", "tea"),
        ("か", "がくせい"),
        ("x" * 80, f"{'x' * 70} y"),
    ],
)
def test_not_found(typed: str, text: str) -> None:
    assert not finds(parsed(typed), text)


@pytest.mark.parametrize(
    ("typed", "narrow"),
    [
        ("a rare word", "'k.rare':*"),
        ("tea 東", "'k.tea':*"),
        ("/usr/local", "'k.local':*"),
        ("tea", None),
        ("tea tea", None),
        ('"a rare word"', None),
        ("東京都", None),
        ("=>", None),
    ],
)
def test_beginnings_of_several_words_are_first_looked_up_by_the_longest(typed: str, narrow: str | None) -> None:
    assert parsed(typed).narrow_tsquery("k.") == narrow
    assert narrow is None or narrow in parsed(typed).tsquery("k.").split(" & ")


@pytest.mark.parametrize(
    ("typed", "same"), [("東京", True), ("ประชุม", True), ("=>", True), ("tea", False), ("茶 te", False)]
)
def test_parts_of_unspaced_text_and_signs_are_as_good_as_whole_words(typed: str, same: bool) -> None:
    assert parsed(typed).finds_as(parsed(typed).exact) is same


def test_whole_words_are_told_from_beginnings() -> None:
    assert finds(parsed("tea 2.1").exact, "Tea 2.1")
    assert not finds(parsed("tea").exact, "teas")
    assert not finds(parsed("2.1").exact, "2.10")
    assert parsed(BOUNDARY).terms == ()
