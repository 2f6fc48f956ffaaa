"""A client that has the current bytes gets 304 without a body."""

from __future__ import annotations

import pytest

from tests.clients import Api


@pytest.fixture
def content(api: Api, png: bytes) -> str:
    """Provide the path of an attachment's content."""
    uploaded = api.http.post("/api/attachments/", files={"file": ("x.png", png)}).json()
    return f"attachments/{uploaded['id']}/content/"


@pytest.mark.parametrize("known", ["{etag}", "W/{etag}", '"other", {etag}', "*"])
def test_bytes_that_a_client_has_are_not_sent_again(api: Api, png: bytes, content: str, known: str) -> None:
    first = api.get(content)
    assert (first.status_code, first.content) == (200, png)
    again = api.get(content, headers={"If-None-Match": known.format(etag=first.headers["etag"])})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]


def test_by_time_too(api: Api, content: str) -> None:
    at = api.get(content).headers["last-modified"]
    assert api.get(content, headers={"If-Modified-Since": at}).status_code == 304


@pytest.mark.parametrize("known", ['"other"', "nonsense", ""])
def test_others_are_sent(api: Api, png: bytes, content: str, known: str) -> None:
    assert api.get(content, headers={"If-None-Match": known}).content == png


def test_nobody_else_learns_that_it_is_unchanged(api: Api, other: Api, content: str) -> None:
    etag = api.get(content).headers["etag"]
    assert other.get(content, headers={"If-None-Match": etag}).status_code == 404


def test_static_files_too(api: Api) -> None:
    first = api.http.get("/static/conversations/review.css")
    assert first.status_code == 200
    since = {"If-Modified-Since": first.headers["last-modified"]}
    assert api.http.get("/static/conversations/review.css", headers=since).status_code == 304
