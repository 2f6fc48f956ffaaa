# ruff: noqa: RUF001 - kinds of dashes and quotation marks are tested here
"""Evidence has the exact offsets of a quote in code points, and is never given for text that is not in the source."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extraction.documents.sources import Source
from extraction.documents.splitting import Part, Piece
from extraction.evidence.finding import Claim, Evidence, located

SCRIPTS = [
    "abcdeßﬁ",
    "ABCÉÖİ",
    "0123",
    "αβγσς",
    "абвгЙ",
    "東京都庁漢字",
    "あいうガギ",
    "ｶﾞｷｱ",
    "한국어각",
    "مرحبالﻻ",
    "ไทยสวัสดี",
]
MARKED = ["e\u0301", "o\u0308\u0323", "👩\u200d👩\u200d👧", "👍🏽", "❤\ufe0f", "नि"]
LETTERS = st.sampled_from([*"".join(SCRIPTS), *MARKED])
WORDS = st.lists(LETTERS, min_size=1, max_size=6).map("".join)
MARKS = st.sampled_from([" ", "\n", "\t", " \r\n", "\u3000", "-", "–", "-\n", ", ", ' "', "’", "\xad", "(", ": "])
TEXTS = st.lists(st.one_of(WORDS, MARKS), max_size=30).map("".join)


def found(text: str, *quotes: str) -> list[Evidence]:
    """Return the evidence of quotes from one text, each for a field of its own."""
    return located([Source(0, "text", text)], [Claim(f"/{quote}", quote) for quote in quotes])


def place(text: str, quote: str) -> str | None:
    """Return the part of a text that is matched with a quote, or None."""
    (evidence,) = found(text, quote)
    return None if evidence.start is None else text[evidence.start : evidence.end]


def letters(text: str) -> str:
    """Return a text without differences of case, width, white space, dashes, quotation marks and hyphenation."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text.replace("\xad", "")).casefold())
    kept = "".join(each for each in folded if not each.isspace() and unicodedata.category(each) != "Pd")
    return unicodedata.normalize("NFKC", kept.translate(str.maketrans("‘’“”", "''\"\"")))


@given(TEXTS, TEXTS)
def test_nothing_is_found_that_is_not_there(text: str, quote: str) -> None:
    (evidence,) = found(text, quote)
    if evidence.status == "exact":
        assert text[evidence.start : evidence.end] == quote
    elif evidence.status == "fuzzy":
        assert quote not in text
        assert letters(text[evidence.start : evidence.end]) == letters(quote)
    else:
        assert evidence.start is evidence.end is evidence.page is None
        assert quote not in text or not quote.strip()


@given(st.data())
def test_what_is_there_is_found_exactly(data: st.DataObject) -> None:
    text = data.draw(TEXTS.filter(str.strip))
    start = data.draw(st.integers(0, len(text) - 1))
    quote = text[start : data.draw(st.integers(start + 1, len(text)))]
    (evidence,) = found(text, quote)
    assert evidence.status == ("exact" if quote.strip() else "not_found")


CHANGES: dict[str, Callable[[str], str]] = {
    "upper case": lambda quote: quote.upper() if letters(quote.upper()) == letters(quote) else quote,
    "full width": lambda quote: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" and c != "-" else c for c in quote),
    "composed": lambda quote: unicodedata.normalize("NFC", quote),
    "decomposed": lambda quote: unicodedata.normalize("NFKD", quote),
    "other spaces": lambda quote: quote.replace(" ", "\n\u3000 "),
    "other dashes": lambda quote: quote.replace("-", "–"),
    "other quotation marks": lambda quote: quote.replace('"', "“").replace("'", "’"),
    "soft hyphens": lambda quote: quote[:1] + "\xad" + quote[1:] if quote[1:2].isalpha() else quote,
}
SENTENCES = st.lists(st.tuples(WORDS, st.sampled_from([" ", ", ", "-", " - ", ' "', "' "])), min_size=1, max_size=8)


@given(SENTENCES, SENTENCES, SENTENCES, st.lists(st.sampled_from(sorted(CHANGES)), min_size=1, max_size=3))
def test_a_changed_quote_is_found_at_its_place(before: list, middle: list, after: list, changes: list[str]) -> None:
    joined = ["".join(word + mark for word, mark in each) for each in (before, middle, after)]
    quote = f"Q7Z {joined[1]}Z7Q"
    text = f"{joined[0]} {quote} {joined[2]}"
    changed = quote
    for change in changes:
        changed = CHANGES[change](changed)
    assert place(text, changed) == quote


@pytest.mark.parametrize(
    ("text", "quote", "expected"),
    [
        ("an exam-\nple of it", "example", "exam-\nple"),
        ("a well-\nknown man", "well-known", "well-\nknown"),
        ("an example of it", "exam- ple", "example"),
        ("the oﬃce", "office", "oﬃce"),
        ("the oﬃce", "fice", None),  # begins within a character
        ("東京 都\n庁です", "東京都庁", "東京 都\n庁"),
        ("on 2024-01-02", "20240102", None),
        ("on 2024-01-02", "2024–01–02", "2024-01-02"),
        ("Cafe\u0301", "CAFE", None),
        ("Cafe\u0301", "CAFÉ", "Cafe\u0301"),
        ("minus −5 °C", "-5 °c", "−5 °C"),
        ("«Oui», dit-il", '"oui"', "«Oui»"),
        ("İstanbul", "i\u0307STANBUL", "İstanbul"),
        ("Straße 5", "STRASSE 5", "Straße 5"),
        ("a b", "ab", None),
        ("text", "", None),
        ("a  b", " \n", None),
    ],
)
def test_the_place_is_the_one_in_the_text(text: str, quote: str, expected: str | None) -> None:
    assert place(text, quote) == expected


def rows(number: int) -> tuple[str, list[Claim]]:
    """Return the text of a table with many equal cells, and the claims of those cells."""
    text = "".join(f"{row % 7} | Tea | 2 | {row % 5}.00\n" for row in range(number))
    cells = {"number": "{}", "what": "Tea", "count": "2"}
    return text, [
        Claim(f"/rows/{row}/{name}", cell.format(row % 7)) for row in range(number) for name, cell in cells.items()
    ]


def test_a_quote_that_stands_often_is_found_next_to_its_neighbours() -> None:
    text, claims = rows(40)
    lines = [text.count("\n", 0, evidence.start) for evidence in located([Source(0, "text", text)], claims)]
    assert lines == [row for row in range(40) for _ in range(3)]


def test_the_place_between_its_neighbours_is_rather_taken_than_one_outside() -> None:
    text = "Total 10. Seller: ACME, Paris. Buyer: Foo, Paris, 10 units at 5."
    evidence = found(text, "Buyer: Foo", "Paris", "10", "at 5")
    assert [text.index("Buyer"), text.rindex("Paris"), text.rindex("10")] == [each.start for each in evidence[:3]]


def test_a_claim_names_its_source_but_may_be_wrong_about_it() -> None:
    sources = [Source(0, "text", "Jane"), Source(1, "image", None), Source(2, "pdf", "x\fJane Doe", (0, 2))]
    claims = [Claim("/a", "Jane", 2), Claim("/b", "Doe", 0), Claim("/c", "Jane", 1), Claim("/d", "Jim", 0)]
    evidence = located(sources, claims)
    assert [(each.status, each.source, each.start, each.page) for each in evidence] == [
        ("exact", 2, 2, 2),
        ("exact", 2, 7, 2),
        ("claimed", 1, None, None),
        ("not_found", 0, None, None),
    ]


def test_only_the_part_that_was_asked_about_is_looked_through() -> None:
    source = Source(0, "text", "Jane wrote to Jane. Jim did not.")
    (jane, jim) = located([source], [Claim("/a", "jane"), Claim("/b", "jim")], Part((Piece(0, 5, 20),)))
    assert (jane.status, jane.start, jim.status) == ("fuzzy", 14, "not_found")


def test_hundreds_of_quotes_from_hundreds_of_pages_take_a_second_or_so() -> None:
    """CPU time is measured, which other processes do not change."""
    text = "".join(f"Line {number} of 東京都: résumé {number * 7919} {'x-y z ' * 8}\n" for number in range(8_000))
    claims = [Claim(f"/{number}", f"LINE {number * 31} OF") for number in range(150)]
    claims += [Claim(f"/no/{number}", f"nothing like {number}") for number in range(50)]
    before = time.process_time()
    evidence = located([Source(0, "text", text)], claims)
    assert time.process_time() - before < 3
    assert [each.status for each in evidence] == ["fuzzy"] * 150 + ["not_found"] * 50
