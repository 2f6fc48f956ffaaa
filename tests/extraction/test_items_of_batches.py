"""The items of a batch are parsed one by one, and an error names the item by its number."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import QueryDict
from rest_framework.exceptions import ParseError, ValidationError

from conversations.errors import InvalidRequest, TooLarge
from conversations.models import User
from extraction.api import batch_input
from extraction.api.batch_input import BatchInput, Digest, Lines, input_of, items_of

TEXT = [{"type": "text", "text": "Tea"}]


def item(key: Any = "a", **more: Any) -> dict[str, Any]:
    return {"key": key, "content": TEXT, **more}


class Asked:
    """A stub of a request: its parsed body only."""

    def __init__(self, data: Any) -> None:
        self.data = data


def read(data: Any, **query: Any) -> BatchInput:
    return input_of(Asked(data), query)  # type: ignore[arg-type]


def lines(*values: Any) -> Lines:
    return Lines(
        io.BytesIO(b"\n".join(each if isinstance(each, bytes) else json.dumps(each).encode() for each in values))
    )


def checked(items: Iterable[Any], digest: Digest | None = None) -> list[tuple[str, int]]:
    found = items_of(User(), BatchInput({}, items), (digest or Digest({})).add)
    return [(each.key, each.number) for each in found]


def test_json_has_its_items_in_a_list_and_its_settings_beside_it() -> None:
    found = read({"items": [item()], "model": "m", "mode": "batch"}, model="m", schema="s")
    assert found.settings == {"model": "m", "mode": "batch", "schema": "s"}
    assert list(found.items) == [item()]


@pytest.mark.parametrize("data", [[], "x", {}, {"items": None}, {"items": {}}, {"items": "x"}], ids=str)
def test_without_a_list_of_items_it_is_refused(data: Any) -> None:
    with pytest.raises(InvalidRequest, match="items: Must be a list"):
        read(data)


FORMS: dict[str, tuple[str, object]] = {
    "a name that is a word of JSON": ("schema=true", "true"),
    "a name that is null": ("schema=null", "null"),
    "a name in digits": ("schema=7", "7"),
    "a name with a version": ("schema=7@1", "7@1"),
    "a schema": ('schema={"multipleOf": 0.10}', {"multipleOf": Decimal("0.10")}),
    "a model in digits": ("model=7", "7"),
    "a mode": ("mode=batch", "batch"),
    "a number": ("max_tokens=50", 50),
    "no number": ("max_tokens=fifty", "fifty"),
    "a truth": ("evidence=false", False),
    "an object": ('metadata={"a": null}', {"a": None}),
    "an unknown field": ("surprise=true", True),
}


@pytest.mark.parametrize(("field", "meant"), FORMS.values(), ids=FORMS)
def test_a_field_of_a_form_is_what_its_setting_takes(field: str, meant: object) -> None:
    name, text = field.split("=", 1)
    form: Any = QueryDict(mutable=True)
    file = SimpleUploadedFile("a.txt", b"Tea")
    form.update({name: text, "anything": file})
    found = read(form, concurrency=3)
    assert found.settings == {"concurrency": 3, name: meant}
    assert list(found.items) == [file]


def test_a_setting_is_in_a_form_once() -> None:
    with pytest.raises(ValidationError, match="Must be given once"):
        read(QueryDict("mode=live&mode=batch"))


def test_json_lines_may_begin_with_the_settings() -> None:
    found = read(lines({"model": "m"}, item("a"), item("b")), schema="s")
    assert found.settings == {"schema": "s", "model": "m"}
    assert [each["key"] for each in found.items] == ["a", "b"]


@pytest.mark.parametrize("first", [item("a"), {"key": "a"}, {"content": []}, [], 5], ids=str)
def test_a_first_line_that_is_an_item_or_none_is_no_settings(first: Any) -> None:
    found = read(lines(first, item("b")), schema="s")
    assert found.settings == {"schema": "s"}
    assert list(found.items) == [first, item("b")]


def test_no_lines_are_no_items() -> None:
    assert list(read(lines()).items) == []


def test_empty_lines_are_passed_over_and_still_counted() -> None:
    body = lines(b"", item("a"), b"  ", b"\r", item("b"), b"{oh}")
    with pytest.raises(ParseError, match="Line 6: "):
        list(body)
    assert len(list(Lines(io.BytesIO(b'\n{"a": 1}\n\n{"b": 2}')))) == 2


def test_a_line_that_is_too_long_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_input, "LINE_LIMIT", 20)
    exact = b'{"a": "' + b"x" * 10 + b'"}\n'
    assert len(list(Lines(io.BytesIO(exact * 2)))) == 2
    with pytest.raises(TooLarge, match="Line 2 has more than 20 bytes"):
        list(Lines(io.BytesIO(exact + exact.replace(b"x", b"xx"))))


REFUSED: dict[str, tuple[Any, str]] = {
    "no object": (5, r"items\.1: Must be an object with `key` and `content`"),
    "nothing": ({}, r"items\.1: Must be an object"),
    "without content": ({"key": "b"}, r"items\.1: Must be an object"),
    "with more": (item("b", model="m"), r"items\.1: .*and nothing else"),
    "a key that is a number": (item(5), r"items\.1\.key: Must be a string of 1 to 255 characters"),
    "an empty key": (item(""), r"items\.1\.key: Must be a string"),
    "a long key": (item("k" * 256), r"items\.1\.key: Must be a string"),
    "a key with NUL": (item("a\0"), r"items\.1\.key"),
    "half a character": (item("\ud83d"), r"items\.1\.key"),
    "a tool's result": (
        item("b", content=[{"type": "tool_result", "tool_use_id": "t", "content": "x"}]),
        r"items\.1\.content",
    ),
    "no blocks": (item("b", content=[]), r"items\.1\.content"),
    "an unknown block": (item("b", content=[{"type": "dream"}]), r"items\.1\.content"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_item_that_is_not_in_order_is_named_by_its_number(name: str) -> None:
    raw, complaint = REFUSED[name]
    with pytest.raises(InvalidRequest, match=complaint):
        checked([item("a"), raw])


def test_items_are_numbered_in_their_order() -> None:
    assert checked([item("b"), item("a" * 255)]) == [("b", 0), ("a" * 255, 1)]


def test_there_are_only_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_input, "ITEMS_LIMIT", 2)
    assert len(checked([item("a"), item("b")])) == 2
    with pytest.raises(TooLarge, match="at most 2 items"):
        checked([item("a"), item("b"), item("c")])


def digest(settings: dict[str, Any], *items: Any) -> str:
    found = Digest(settings)
    checked(items, found)
    return str(found)


def test_the_same_request_is_known_by_its_digest_however_it_is_written() -> None:
    one = digest({"model": "m", "mode": "live"}, item("a"), item("b"))
    assert one == digest({"mode": "live", "model": "m"}, {"content": TEXT, "key": "a"}, item("b"))
    others = [
        digest({"model": "m"}, item("a"), item("b")),
        digest({"model": "m", "mode": "live"}, item("b"), item("a")),
        digest({"model": "m", "mode": "live"}, item("a")),
        digest({"model": "m", "mode": "live"}, item("a"), item("b", content=[{"type": "text", "text": "tea"}])),
    ]
    assert len({one, *others}) == 5
