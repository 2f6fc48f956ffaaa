"""Query parameters are accepted or refused with an error: never ignored, and never a 500."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.views import APIView

from conversations.api.queries import Queried
from tests.clients import Api

SOMEBODY = "01a208ce-7785-7206-a202-3517d745131f"


@pytest.fixture
def api(somebody: Api) -> Api:
    """Provide one user for the whole file: creating one takes longer than most of its tests."""
    return somebody


def views(patterns: list[Any] | None = None) -> Iterator[type[APIView]]:
    """Yield every view of the API."""
    for each in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(each, URLResolver):
            yield from views(each.url_patterns)
        elif isinstance(each, URLPattern) and issubclass(getattr(each.callback, "cls", object), APIView):
            yield each.callback.cls  # type: ignore[attr-defined]


def test_every_view_declares_its_parameters() -> None:
    found = set(views())
    assert len(found) > 10
    assert {view.__name__ for view in found if not issubclass(view, Queried)} == set()


def refused(response: Any, name: str) -> None:
    assert response.status_code == 400, response.text
    payload = response.json()
    assert payload["error"]["type"] == "invalid_request_error"
    assert list(payload["error"]["details"]) == [name]


@pytest.mark.parametrize(
    "path",
    [
        "conversations/",
        "conversations/{id}/",
        "conversations/{id}/messages/",
        "conversations/{id}/tree/",
        "conversations/{id}/turns/",
        "conversations/{id}/usage/",
        "conversations/{id}/export/",
        "extraction/extractions/",
        "me/",
        "me/access-log/",
        "models/",
        "schema/",
        "usage/",
        "usage/records/",
    ],
)
def test_unknown_parameters_are_named(api: Api, path: str) -> None:
    path = path.format(id=api.conversation())
    refused(api.get(path, params={"surprise": "1"}), "surprise")
    refused(api.get(path, params={"surprise": ""}), "surprise")
    assert api.get(path).status_code == 200


@pytest.mark.parametrize("path", ["conversations/", "conversations/import/", "auth/ws-ticket/", "attachments/"])
def test_unknown_parameters_of_a_post_are_named(api: Api, path: str) -> None:
    refused(api.post(path, {}, params={"wait": "true"}), "wait")


BAD: list[tuple[str, str, str]] = [
    *(
        ("conversations/", "page_size", value)
        for value in ("abc", "0", "-1", "201", "1000", "1.0", "٣", "1e2", "9" * 30)
    ),
    *(("conversations/", "archived", value) for value in ("maybe", "2", "yes", "null")),
    *(
        ("conversations/", "ordering", value)
        for value in ("colour", "owner", "title,created_at", "--title", "searchable")
    ),
    *(("conversations/", "q", value) for value in ("a\0b", "-" * 4000, "x" * 501)),
    *(
        ("conversations/", "cursor", value)
        for value in ("cD14", "cD0lMDA=", "x", "%00", "🎉", "=" * 100, "a:b:c", "x" * 5000)
    ),
    ("conversations/{id}/messages/", "cursor", "cD14"),
    ("conversations/{id}/messages/", "cursor", "-1"),
    ("conversations/{id}/messages/", "leaf", "nonsense"),
    ("conversations/{id}/messages/", "page_size", "0"),
    ("conversations/{id}/tree/", "cursor", "cD0lMDA="),
    ("conversations/{id}/turns/", "cursor", "cD0lMDA="),
    ("conversations/{id}/turns/", "wait", "true"),
    ("extraction/extractions/", "page_size", "x"),
    ("me/access-log/", "cursor", "x"),
    *(
        ("usage/", "from", value)
        for value in (
            "0001-01-01T00:00:00+23:59",
            "yesterday",
            "2026-13-01",
            "2026-1",
            "1",
            "\0",
            "9999-12-31T23:59:59-01:00",
        )
    ),
    *(("usage/", "to", value) for value in ("0001-01-01", "9999-12-31", "9999-12-31T23:59:59-23:59", "x")),
    ("usage/", "group_by", "colour"),
    ("usage/", "group_by", "day,\0"),
    ("usage/records/", "conversation", "x"),
    ("usage/records/", "turn", "x"),
    ("usage/records/", "purpose", "fun"),
    ("usage/records/", "source", "x"),
    ("usage/records/", "model", "a\0"),
    ("usage/records/", "from", "0001-01-01T00:00:00+23:59"),
]


@pytest.mark.parametrize(
    ("path", "name", "value"), BAD, ids=[f"{path} {name} {value[:30]!r}" for path, name, value in BAD]
)
def test_a_value_that_is_not_taken_is_named(api: Api, path: str, name: str, value: str) -> None:
    path = path.format(id=api.conversation()) if "{id}" in path else path
    refused(api.get(path, params={name: value}), name)


@pytest.mark.parametrize(("name", "value"), [("wait", "perhaps"), ("format", "xml"), ("after", "1"), ("surprise", "1")])
def test_no_turn_begins_with_a_parameter_that_is_not_taken(api: Api, name: str, value: str) -> None:
    id = api.conversation()
    refused(api.post(f"conversations/{id}/turns/", {"content": "Hello"}, params={name: value}), name)
    assert api.get(f"conversations/{id}/turns/").json()["results"] == []


def test_a_position_that_is_none_is_named(api: Api) -> None:
    turn = api.ask("Hello")["id"]
    for value in ("-1", "x", "1.5", "9" * 19, "0x1", "1 "):
        refused(api.get(f"turns/{turn}/events/", params={"after": value}), "after")


def test_one_that_is_given_twice_is_named(api: Api) -> None:
    refused(api.get("conversations/?page_size=1&page_size=2"), "page_size")


def test_head_takes_what_get_takes(api: Api) -> None:
    for query in (
        "conversations/?page_size=1",
        "usage/?group_by=day",
        "usage/records/?page_size=1",
        "schema/?format=json",
    ):
        assert api.http.head(f"/api/{query}").status_code == 200, query
    assert api.http.head("/api/usage/?surprise=1").status_code == 400


def test_empty_ones_count_as_not_given(other: Api) -> None:
    id = other.conversation()
    found = other.get("conversations/?q=&archived=&ordering=&page_size=&cursor=").json()["results"]
    assert [each["id"] for each in found] == [id]
    assert other.get("usage/?from=&to=&group_by=").status_code == 200
    assert other.get(f"conversations/{id}/messages/?leaf=").status_code == 200


@pytest.mark.parametrize(
    "words", ["-" * 500, "- " * 250, '"' * 500, "or " * 160, "-a " * 166, '"-' * 250, "(((" * 100, ":*&|!<->"]
)
def test_any_words_can_be_searched_for(api: Api, words: str) -> None:
    assert api.get("conversations/", params={"q": words}).status_code == 200


def test_times_can_be_named_in_every_way(other: Api) -> None:
    other.ask("Hello")
    for since in ("2020-01-01", "2020-01-01T00:00:00Z", "2020-01-01T00:00:00+05:30", "2020-01-01 00:00", "0001-01-01"):
        assert other.get("usage/", params={"from": since}).json()["total"]["requests"] == 1


@pytest.mark.parametrize(
    "path", ["conversations/{}/", "turns/{}/", "attachments/{}/content/", "extraction/extractions/{}/"]
)
@pytest.mark.parametrize("id", ["x", SOMEBODY, SOMEBODY.upper() + "0", "%00", "1", uuid.UUID(SOMEBODY).hex + "g"])
def test_ids_in_paths_that_are_none_are_not_found(api: Api, path: str, id: str) -> None:
    response = api.get(path.format(id))
    assert response.status_code == 404
    assert response.json()["error"]["type"] == "not_found_error"


@pytest.mark.parametrize(("format", "begins"), [("json", "{"), ("yaml", "openapi:")])
def test_the_document_comes_in_the_format_that_is_asked_for(api: Api, format: str, begins: str) -> None:
    for accept in ("*/*", "text/html,*/*;q=0.8"):
        response = api.get("schema/", params={"format": format}, headers={"Accept": accept})
        assert (response.status_code, response.text[: len(begins)]) == (200, begins)
    refused(api.get("schema/", params={"format": "xml"}), "format")
