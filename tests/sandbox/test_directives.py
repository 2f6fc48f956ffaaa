"""The directives in a prompt are parsed as written, and a typo is refused."""

from __future__ import annotations

from typing import Any

import pytest

from conversations.sandbox.directives import FLAGS, VALUES, Directives, parse
from conversations.sandbox.refused import Refused
from conversations.sandbox.stream import Cut, Faults, chunked, raw_parts


def read(text: str) -> Directives:
    return parse(f"[[sandbox: {text}]]")[0]


@pytest.mark.parametrize("name", sorted(FLAGS))
def test_a_flag_is_set_by_its_name(name: str) -> None:
    assert read(name).values == {name: True}
    assert name in read(f"fence; {name}")


@pytest.mark.parametrize("name", sorted(VALUES))
def test_a_value_is_given_to_its_name(name: str) -> None:
    assert read(f"{name}=7").values == {name: "7"}
    assert read(f"{name} = 7 ;").values == {name: "7"}


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("text=Hello, you", {"text": "Hello, you"}),
        ('text="a; b ]] c"', {"text": "a; b ]] c"}),
        ('raw=["a", 0.5, null]', {"raw": ["a", 0.5, None]}),
        ('json={"a": [1, 2]}', {"json": '{"a": [1, 2]}'}),
        ("refusal", {"refusal": True}),
        ("refusal=cyber", {"refusal": "cyber"}),
        ("words=3; pace=0.1", {"words": "3", "pace": "0.1"}),
        ("", {}),
    ],
)
def test_values_are_words_or_json(text: str, values: Any) -> None:
    assert read(text).values == values


def test_calls_of_tools_are_in_their_order_with_their_input() -> None:
    found = read('tool=look; tool=weather{"city": "Köln"}; tool="hear"')
    assert found.tools == [("look", {}), ("weather", {"city": "Köln"}), ("hear", {})]


def test_usage_is_counted_by_name() -> None:
    assert read("usage.input_tokens=5; usage.output_tokens=7").usage == {"input_tokens": 5, "output_tokens": 7}


def test_what_comes_then_is_apart_from_what_comes_first() -> None:
    found = read("tool=look; then; text=Seen; then; text=Done")
    assert (found.tools, found.values) == ([("look", {})], {})
    assert found.then is not None
    assert found.then.values == {"text": "Seen"}
    assert found.then.then is not None
    assert found.then.then.values == {"text": "Done"}


def test_the_text_is_what_is_left() -> None:
    found, rest = parse("Tell me [[sandbox: fence]] a story [[sandbox: text=Once]]. ")
    assert rest == "Tell me  a story ."
    assert found.values == {"fence": True, "text": "Once"}
    assert parse("[[box]]") == (Directives(), "[[box]]")


@pytest.mark.parametrize(
    "text",
    [
        "txt=Hello",
        "fence=5",
        "pace",
        "then_more",
        "?",
        "usage.input_tokens=many",
        "usage.input_tokens=²",
        "usage.input_tokens",
        'text="Hello',
        'raw=["a"',
        "tool=look{",
        'tool="look{"',
        "tool",
        'tool=["look"]',
    ],
)
def test_a_typo_is_refused_with_what_it_is(text: str) -> None:
    with pytest.raises(Refused, match="does not know this directive"):
        read(text)


@pytest.mark.parametrize(("text", "number"), [("", 5), ("words=3", 3), ("words=0.5", 0.5)])
def test_a_number_is_one_or_the_default(text: str, number: float) -> None:
    assert read(text).number("words", 5) == number


@pytest.mark.parametrize("text", ["words=three", "words=["])
def test_a_number_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        read(text).number("words")


@pytest.mark.parametrize(
    ("text", "after"),
    [("", None), ("cut_after=3", (3, "")), ("cut_after=0", (0, "")), ("cut_after=3:api_error", (3, "api_error"))],
)
def test_a_fault_comes_after_so_many_deltas(text: str, after: Any) -> None:
    assert read(text).after("cut_after") == after


@pytest.mark.parametrize("value", ["x", "-1", "1.5", "²", ":api_error"])
def test_a_fault_after_no_number_is_refused(value: str) -> None:
    with pytest.raises(Refused):
        read(f"cut_after={value}").after("cut_after")


DELTA: Any = {"type": "content_block_delta"}
OTHER: Any = {"type": "ping"}


def before(text: str, *events: Any) -> list[Any]:
    """Return the pause before each event, and at a cut how it ends the stream."""
    faults, found = Faults(read(text)), []
    for event in events:
        try:
            found.append(faults.before(event))
        except Cut as cut:
            return [*found, (cut.clean, cut.last[-1:])]
    return found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", [None, None, None]),
        ("cut_after=1", [None, None, (False, b"")]),
        ("cut_clean_after=1", [None, None, (True, b"")]),
        ("cut_midbyte_after=1", [None, None, (True, "é".encode()[:1])]),
        ("cut_after=0", [None, (False, b"")]),
        ("stall_after=1:0.5", [None, None, 0.5]),
        ("stall_after=1", [None, None, 3600.0]),
    ],
)
def test_faults_come_before_the_delta_of_their_number(text: str, found: list[Any]) -> None:
    assert before(text, OTHER, DELTA, DELTA) == found


@pytest.mark.parametrize(("text", "kind"), [("0", "overloaded_error"), ("0:api_error", "api_error")])
def test_an_error_comes_instead_of_a_delta(text: str, kind: str) -> None:
    [error] = before(f"error_after={text}", DELTA)
    assert (error["type"], error["error"]["type"]) == ("error", kind)


def test_raw_parts_are_bytes_and_silences_up_to_a_cut() -> None:
    parts = raw_parts(read('raw=["Größe\\udcff", 0.5, null, "never"]'))
    assert [next(parts), next(parts)] == ["Größe".encode() + b"\xff", 0.5]
    with pytest.raises(Cut):
        next(parts)
    assert list(raw_parts(read("raw=x"))) == [b"x"]


@pytest.mark.parametrize(
    ("text", "chunks"),
    [
        ("", ["aé🎉".encode()]),
        ("chunk=2", [b"a\xc3", b"\xa9\xf0", b"\x9f\x8e", b"\x89"]),
        ("chunk=0", [bytes([byte]) for byte in "aé🎉".encode()]),
        ("split_utf8", [b"a\xc3", b"\xa9\xf0", b"\x9f", b"\x8e", b"\x89"]),
    ],
)
def test_bytes_are_cut_as_is_directed(text: str, chunks: list[bytes]) -> None:
    assert list(chunked("aé🎉".encode(), read(text))) == chunks
