"""Conversations are read one by one: from a JSON list, from JSON lines, or from an object that has a list."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.archives import json_elements
from conversations.archives.json_elements import elements, is_object, values
from conversations.errors import InvalidRequest

names = st.text(alphabet='ab{}[]"\\,: é😀', max_size=6)
anything = st.recursive(
    st.none() | st.integers(0, 9) | names | st.just("conversations"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=5,
)
objects = st.dictionaries(names, anything, max_size=3)
others = st.none() | st.booleans() | st.integers() | names


def found(document: bytes, chunk: int = 1 << 20) -> list[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_elements, "CHUNK", chunk)
        return [json.loads(text) for text in elements(io.BytesIO(document), "x.json")]


@given(several=st.lists(objects, max_size=4), chunk=st.integers(1, 40), indent=st.sampled_from([None, 1]))
def test_each_object_of_a_list_is_found_whatever_is_in_it(several: list[Any], chunk: int, indent: int | None) -> None:
    assert found(json.dumps(several, indent=indent).encode(), chunk) == several
    assert found("\n".join(map(json.dumps, several)).encode(), chunk) == several


@given(
    several=st.lists(objects, max_size=4),
    before=objects,
    after=objects,
    chunk=st.integers(1, 40),
    separators=st.sampled_from([(",", ":"), (" , ", " :\n ")]),
)
def test_a_list_within_an_object_is_the_same_as_the_list(
    several: list[Any], before: dict[str, Any], after: dict[str, Any], chunk: int, separators: tuple[str, str]
) -> None:
    after = {f"{name}!": each for name, each in after.items()}
    wrapped = {**before, "conversations": several, **after}
    assert found(json.dumps(wrapped, separators=separators).encode(), chunk) == several


@given(several=st.lists(objects | others, max_size=5), chunk=st.integers(1, 40), within=st.booleans())
def test_what_stands_between_objects_is_seen(several: list[Any], chunk: int, within: bool) -> None:
    document = json.dumps({"a": "b", "conversations": several, "c": [1, "d"]} if within else several).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_elements, "CHUNK", chunk)
        texts = list(values(io.BytesIO(document), "x.json"))
    assert [json.loads(text) for text in texts] == several
    assert [json.loads(text) for text in texts if is_object(text)] == found(document, chunk)


@pytest.mark.parametrize(
    ("document", "seen"),
    [
        (b"null", [b"null"]),
        (b'{"a": 1}\n"b"\nnull\n{}\n7', [b'{"a": 1}', b'"b"', b"null", b"{}", b"7"]),
        (b'\xef\xbb\xbf[{"a": 1}]', [b'{"a": 1}']),
        (b'[[1, {}], "}", {}]', [b"1", b"{}", b'"}"', b"{}"]),
        (b'{"conversations": [["]"], [], 5, {}], "a": 7}', [b'"]"', b"5", b"{}"]),
        (b'{} "cut', [b"{}", b'"cut']),
    ],
)
@pytest.mark.parametrize("chunk", [1, 3, 100])
def test_single_values_are_seen_wherever_they_stand(
    document: bytes, seen: list[bytes], chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_elements, "CHUNK", chunk)
    assert list(values(io.BytesIO(document), "x.json")) == seen


@pytest.mark.parametrize(
    "whole",
    [
        pytest.param({"conversations": 3}, id="a number"),
        pytest.param({"conversations": {"a": {}}}, id="an object"),
        pytest.param({"a": {"conversations": [{"b": 1}]}}, id="a list further in"),
        pytest.param({"a": ["conversations", [{"b": 1}]]}, id="a text before a list"),
        pytest.param({"a": "conversations"}, id="a text"),
    ],
)
def test_what_only_looks_like_a_list_of_conversations_is_an_object_like_others(whole: Any) -> None:
    for chunk in (1, 5, 1000):
        assert found(json.dumps(whole).encode(), chunk) == [whole]


def test_objects_beside_the_list_are_no_conversations() -> None:
    document = {"account": {"a": 1}, "conversations": [{"b": [{"c": "]"}]}], "projects": [{"d": 1}], "user": {"e": {}}}
    assert found(json.dumps(document).encode()) == [{"b": [{"c": "]"}]}]
    twice = f"{json.dumps(document)}\n{json.dumps(document)}\n".encode()
    assert found(twice) == [{"b": [{"c": "]"}]}] * 2


def test_a_long_list_within_an_object_is_never_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """The size limit is that of one conversation, not that of the list."""
    monkeypatch.setattr(json_elements, "LIMIT", 200)
    assert len(found(json.dumps({"conversations": [{"a": "x" * 50}] * 50}).encode(), 20)) == 50
    with pytest.raises(InvalidRequest, match="more than 200 bytes"):
        found(json.dumps({"conversations": [{"a": "x" * 500}]}).encode(), 20)


@pytest.mark.parametrize(
    "cut", ['{"conversations": [{"a": 1}', '{"conversations": [', '{"conversations":', '[{"a": "x']
)
def test_a_list_that_is_cut_is_refused(cut: str) -> None:
    with pytest.raises(InvalidRequest, match=r"x\.json: It ends in the middle of an entry"):
        found(cut.encode())
