"""Content that is too long for one request is divided into parts, and nothing is left out."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from extraction.documents.sources import Source
from extraction.documents.splitting import Part, split, tokens_of

LONG = st.lists(st.sampled_from(["word ", "東京", "é", "\n", "\n\n", "1,234.50 | ", "👍"]), max_size=300).map("".join)


def paged(index: int, texts: list[str]) -> Source:
    """Return the source of a PDF with these texts as its pages."""
    starts = tuple(sum(len(text) + 1 for text in texts[:number]) for number in range(len(texts)))
    return Source(index, "pdf", "\f".join(texts), starts)


SOURCES = st.lists(
    st.one_of(
        LONG.map(lambda text: lambda index: Source(index, "document", text)),
        st.lists(LONG, min_size=1, max_size=8).map(lambda texts: lambda index: paged(index, texts)),
        st.just(lambda index: Source(index, "image", None)),
    ),
    min_size=1,
    max_size=4,
).map(lambda makers: [make(index) for index, make in enumerate(makers)])


def weight(part: Part, sources: list[Source]) -> int:
    """Return the tokens of a part, counting 50 for each image or page."""
    return sum(
        tokens_of((sources[piece.source].text or "")[piece.start : piece.end])
        + 50 * (piece.last + 1 - piece.first if piece.first and piece.last else sources[piece.source].kind == "image")
        for piece in part.pieces
    )


@given(SOURCES, st.integers(60, 1000), st.integers(1, 5))
def test_every_character_is_in_some_part_and_the_order_is_kept(sources: list[Source], tokens: int, pages: int) -> None:
    parts = split(sources, tokens=tokens, pages=pages, image_tokens=50)
    pieces = [piece for part in parts for piece in part.pieces]
    assert [piece.source for piece in pieces] == sorted(piece.source for piece in pieces)
    assert {piece.source for piece in pieces} == {source.index for source in sources}
    for source in sources:
        end = page = 0
        for piece in (piece for piece in pieces if piece.source == source.index):
            assert piece.start + piece.overlap == end
            assert piece.end > end or not source.text or source.pages
            end = piece.end
            assert piece.first is None or page <= piece.first <= page + 1
            page = piece.last or page
        assert end == len(source.text or "")
        assert page == len(source.pages)


@given(SOURCES, st.integers(60, 1000), st.integers(1, 5))
def test_each_part_fits_unless_it_is_a_single_page(sources: list[Source], tokens: int, pages: int) -> None:
    for part in split(sources, tokens=tokens, pages=pages, image_tokens=50):
        sent = sum(piece.last + 1 - piece.first for piece in part.pieces if piece.first and piece.last)
        assert sent <= pages
        assert weight(part, sources) <= tokens or (len(part.pieces) == sent == 1)


def test_what_fits_is_not_divided() -> None:
    sources = [Source(0, "text", "Which?"), paged(1, ["a", "b"]), Source(2, "image", None), Source(3, "text", "One.")]
    (part,) = split(sources, tokens=20_000, pages=100)
    assert [(piece.source, piece.first, piece.last, piece.overlap) for piece in part.pieces] == [
        (0, None, None, 0),
        (1, 1, 2, 0),
        (2, None, None, 0),
        (3, None, None, 0),
    ]


def test_a_question_goes_with_every_part() -> None:
    sources = [
        Source(0, "text", "Which?"),
        Source(1, "document", "line\n" * 1000),
        Source(2, "text", "Well?"),
    ]
    parts = split(sources, tokens=500, pages=1)
    assert len(parts) > 2
    assert all([piece.source for piece in part.pieces] == [0, 1, 2] for part in parts)


def test_text_is_divided_and_repeated_by_whole_lines() -> None:
    text = "".join(f"row {number}\n" for number in range(1000))
    pieces = [part.pieces[0] for part in split([Source(0, "document", text)], tokens=800, pages=1)]
    assert len(pieces) > 3
    assert all(text[piece.start : piece.end].startswith("row") and text[piece.end - 1] == "\n" for piece in pieces)
    assert all(0 < piece.overlap < 300 for piece in pieces[1:])


def test_pages_are_repeated_one_by_one() -> None:
    parts = split([paged(0, ["text"] * 10)], tokens=100_000, pages=4)
    assert [(part.pieces[0].first, part.pieces[0].last) for part in parts] == [(1, 4), (4, 7), (7, 10)]
