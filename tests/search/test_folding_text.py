# ruff: noqa: RUF001 - characters that look alike are tested here
"""Texts and queries are folded alike, and offsets in folded text can be mapped back to the original."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.content.search_query import parsed
from conversations.content.search_text import BOUNDARY, folded, index_terms, is_aligned, marked, segments

ALPHABETS = {
    "latin": "abzéÅñøßİıﬁǅ ﬀ\u0301\u0327",
    "greek and cyrillic": "σςΣΆέйЙёїЇ \u0301\u0306",
    "arabic and hebrew": "أبتةىؤئـًٌَُّلاשָׁל \u0640\u0654",
    "devanagari": "कखािीुहन्दी़ क़ढ़",
    "thai and lao": "กขำำิ้่เแไทยລາວຳ ",
    "chinese and japanese": "日本語茶がかｶﾞﾊﾟ゛゙ー、。 ",
    "korean": "한국어가각각ᄀᆨﾡￂ ",
    "signs": "½…①㎏™﹏🎉👩‍💻e\u200d\ufe0f-–—’'\"\\%_\x1f\t\n ",
}
ANY = st.one_of(
    st.text(), *(st.text(alphabet) for alphabet in ALPHABETS.values()), st.text("".join(ALPHABETS.values()))
)


@given(ANY)
def test_the_parts_of_a_text_fold_to_the_folded_text(text: str) -> None:
    parts = segments(text)
    assert "".join(part.folded for part in parts) == folded(text)
    assert "".join(text[part.start : part.end] for part in parts) == text


@given(ANY)
def test_a_text_is_aligned_only_if_each_character_folds_to_the_one_at_its_place(text: str) -> None:
    if is_aligned(text, folded(text)):
        assert [folded(character) for character in text] == list(folded(text))
        starts = [part.start for part in segments(text) for _ in part.folded]
        at_spaces = {at for at, character in enumerate(folded(text)) if character == " "}
        assert all(start == at for at, start in enumerate(starts) if at not in at_spaces)


@given(ANY)
def test_all_forms_of_a_text_fold_alike(text: str) -> None:
    for form in ("NFC", "NFD"):
        assert folded(unicodedata.normalize(form, text)) == folded(text)
    assert BOUNDARY not in folded(text)


@given(ANY)
def test_boundaries_are_all_that_marking_adds(text: str) -> None:
    assert marked(folded(text)).replace(BOUNDARY, "") == folded(text)


@pytest.mark.parametrize(
    ("written", "typed"),
    [
        ("Café Łódź Ærø", "cafe lodz aero"),
        ("STRASSE straße", "strasse strasse"),
        ("ＡＢＣ １２３ ﾊﾟﾝ", "abc 123 パン"),
        ("كِتَابـــٌ", "كتاب"),
        ("أحمد إلى آل", "احمد الى ال"),
        ("שָׁלוֹם", "שלום"),
        ("don’t “say” 1–2", 'don\'t "say" 1-2'),
        ("a\u00adb\u200bc\ufeff", "abc"),
        ("one \n\t two", "one two"),
        ("İstanbul ΣΊΣΥΦΟΣ", "istanbul σισυφοσ"),
    ],
)
def test_what_people_do_not_type_is_left_out(written: str, typed: str) -> None:
    assert folded(written) == folded(typed)


@pytest.mark.parametrize(("one", "other"), [("が", "か"), ("पानी", "पन"), ("ป้า", "ปา"), ("한", "하")])
def test_marks_that_are_letters_stay(one: str, other: str) -> None:
    assert folded(one) != folded(other)


@given(ANY)
def test_whatever_is_typed_is_a_query(typed: str) -> None:
    for query in (parsed(typed), parsed(typed).exact):
        assert query.tsquery("key")
        assert all(term.pattern for term in query.terms)
        assert len(query.like_patterns()) <= len(query.terms)


@pytest.mark.parametrize("typed", ["", " ", "\u200b", '"', '""', '" "', "\u0301"])
def test_nothing_that_is_seen_is_nothing_to_search_for(typed: str) -> None:
    assert parsed(typed).terms == ()


def test_a_query_of_thousands_of_signs_is_read_at_once() -> None:
    for sign in "-\"'(*日ไ🎉\u0301\\%":
        parsed(sign * 4000).tsquery("key")


def test_long_texts_have_each_term_once() -> None:
    assert index_terms("a b a " * 1000) == ["a", "b"]
    assert index_terms("日本日本") == ["日本", "本日", "本"]
