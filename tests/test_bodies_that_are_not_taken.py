"""Every operation of the API reports unknown fields of a body, even if it expects no body."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.views import APIView

from conversations.models import ArchiveImport, Attachment
from tests.clients import Api

METHODS = ("get", "post", "put", "patch", "delete")
OF_FILES = {"POST /api/attachments/", "POST /api/me/import/", "POST /api/extraction/batches/"}
"""Operations whose body is, or may be, a file: their errors for JSON are not tested here."""


def carrying() -> set[str]:
    """Return the operations whose methods have a body."""
    return {each for each in operations() if not each.startswith(("GET ", "DELETE "))}


def operations(patterns: list[Any] | None = None) -> Iterator[str]:
    """Yield the method and path of every operation of the API, with unknown ids in the path."""
    for each in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(each, URLResolver):
            yield from operations(each.url_patterns)
        elif isinstance(each, URLPattern):
            yield from (f"{method.upper()} {path_of(each)}" for method in handled_by(each.callback))


def handled_by(view: Any) -> list[str]:
    """Return the methods that a view handles; none if it is not a view of the API."""
    of_api = issubclass(getattr(view, "cls", object), APIView)
    handled = getattr(view, "actions", None) or dir(view.cls) if of_api else ()
    return [method for method in METHODS if method in handled]


def path_of(pattern: URLPattern) -> str:
    """Return a path that matches a pattern, with an unknown id or a number for each parameter."""
    [(found, *_)] = get_resolver().reverse_dict.getlist(pattern.callback)
    [(path, names)] = found
    return "/" + str(path) % {name: "1" if name in ("index", "number") else uuid.uuid4() for name in names}


def sent(api: Api, operation: str, body: bytes, media_type: str = "application/json") -> httpx2.Response:
    method, path = operation.split()
    return api.http.request(method, path, content=body, headers={"Content-Type": media_type})


def is_refused(response: httpx2.Response) -> bool:
    return response.status_code == 400 and bool(response.json()["error"]["type"] == "invalid_request_error")


@pytest.mark.parametrize("body", [b'{"surprise": 1}', b'{"surprise": ', b"[]", b"null", b'"surprise"', b"\xff"])
def test_what_is_not_understood_is_refused_by_every_operation(api: Api, body: bytes) -> None:
    answers = {each: sent(api, each, body) for each in carrying() - OF_FILES}
    assert len(answers) > 20
    assert {each: answer.text for each, answer in answers.items() if not is_refused(answer)} == {}


def test_unknown_fields_are_named_by_every_operation(api: Api) -> None:
    for each in carrying() - OF_FILES:
        details = sent(api, each, b'{"surprise": 1}').json()["error"]["details"]
        assert "surprise" in details, each


OTHERS = [
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/x-ndjson",
    "text/plain",
    "",
]


@pytest.mark.parametrize("media_type", OTHERS)
def test_no_other_media_type_is_read(api: Api, media_type: str) -> None:
    for each in (
        "POST /api/auth/ws-ticket/",
        f"POST /api/extraction/batches/{uuid.uuid4()}/cancel/",
    ):
        assert sent(api, each, b"a=1", media_type).status_code == 415, each


@pytest.mark.parametrize("accept", ["text/event-stream", "text/html", "application/xml"])
def test_what_a_client_accepts_may_be_refused_and_is_no_error(api: Api, accept: str) -> None:
    conversation = api.conversation()
    api.ask("Hello", conversation)
    for path in ("conversations/", f"conversations/{conversation}/turns/", f"conversations/{conversation}/export/"):
        response = api.get(path, headers={"Accept": accept})
        assert (response.status_code, response.json()["error"]["type"]) == (406, "invalid_request_error")


@pytest.mark.parametrize("body", [b"", b"{}", b" {} "])
def test_an_empty_body_is_taken(api: Api, body: bytes) -> None:
    conversation = api.conversation()
    turn = api.ask("Hello", conversation)["id"]
    assert sent(api, "POST /api/auth/ws-ticket/", body).status_code == 200
    assert sent(api, f"POST /api/turns/{turn}/cancel/", body).status_code == 202
    assert sent(api, f"GET /api/turns/{turn}/", body).status_code == 200
    assert sent(api, f"DELETE /api/conversations/{conversation}/", body).status_code == 204


@pytest.mark.parametrize("body", [b'{"surprise": 1}', b"{", b"\xff"])
def test_what_comes_with_a_method_that_has_no_use_for_it_is_ignored(api: Api, body: bytes) -> None:
    conversation = api.conversation()
    for operation, status in (
        (f"GET /api/conversations/{conversation}/", 200),
        (f"GET /api/conversations/{conversation}/shares/", 200),
        (f"GET /api/conversations/{uuid.uuid4()}/shares/", 404),
        (f"DELETE /api/conversations/{uuid.uuid4()}/", 404),
        (f"DELETE /api/conversations/{conversation}/", 204),
    ):
        assert sent(api, operation, body).status_code == status, operation


@pytest.mark.parametrize("path", ["/api/attachments/", "/api/me/import/"])
@pytest.mark.parametrize(
    ("fields", "names"), [({"title": "x"}, ["file", "title"]), ({}, ["files"]), ({}, ["file", "file"])]
)
def test_a_form_has_one_file_and_no_other_field(api: Api, path: str, fields: dict[str, str], names: list[str]) -> None:
    files = [(name, ("a.txt", b"Hello", "text/plain")) for name in names if name != "title"]
    response = api.http.post(path, data=fields, files=files)
    assert is_refused(response), response.text
    assert list(response.json()["error"]["details"]) == [names[-1]]
    assert not Attachment.objects.filter(owner=api.user).exists()
    assert not ArchiveImport.objects.filter(owner=api.user).exists()


def test_a_path_without_its_slash_is_told_so_and_loses_no_body(api: Api) -> None:
    assert api.get("conversations").headers["location"] == "/api/conversations/"
    for method in ("POST", "PATCH", "DELETE"):
        response = api.http.request(method, "/api/conversations", json={})
        assert response.status_code == 404
        assert "end with a slash" in response.json()["error"]["message"]
