"""Every error of the platform becomes a response with a status, a type and headers; a bug does not."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, RequestDataTooBig
from django.db import IntegrityError, OperationalError
from django.http import Http404
from django.test import RequestFactory
from rest_framework import exceptions

from conversations import errors
from conversations.api import error_responses
from conversations.api.error_responses import handle, headers_of, translate
from conversations.errors import ColloquyError


class Raised(psycopg.Error):
    """A PostgreSQL error with a given SQLSTATE."""

    def __init__(self, state: str) -> None:
        super().__init__("text for the log")
        self.sqlstate = state


def of_database(kind: type[Exception], state: str) -> Exception:
    error = kind("text for the log")
    error.__cause__ = Raised(state)
    return error


RAISED: dict[str, tuple[Exception, int, str, str]] = {
    "one of ours": (errors.Conflict("Busy"), 409, "conflict_error", "Busy"),
    "a complaint": (exceptions.ValidationError({"a": ["x"]}), 400, "invalid_request_error", "a: x"),
    "a body that can't be read": (exceptions.ParseError("No JSON"), 400, "invalid_request_error", "No JSON"),
    "no credentials": (exceptions.NotAuthenticated("Log in"), 401, "authentication_error", "Log in"),
    "wrong credentials": (exceptions.AuthenticationFailed("Wrong"), 401, "authentication_error", "Wrong"),
    "no permission, of DRF's": (exceptions.PermissionDenied("Staff only"), 403, "permission_error", "Staff only"),
    "no permission, of Django's": (PermissionDenied(), 403, "permission_error", errors.PermissionDenied().message),
    "no page": (Http404("text for the log"), 404, "not_found_error", errors.NotFound().message),
    "no row, of DRF's": (exceptions.NotFound("text"), 404, "not_found_error", errors.NotFound().message),
    "a row that went": (
        ObjectDoesNotExist(),
        404,
        "not_found_error",
        "The object that this request refers to was deleted meanwhile.",
    ),
    "another media type": (
        exceptions.UnsupportedMediaType("text/csv"),
        415,
        "unsupported_media_type",
        'Unsupported media type "text/csv" in request.',
    ),
    "too many requests": (exceptions.Throttled(5, "Slow."), 429, "rate_limit_error", "Slow. Expected available in 5"),
    "a body too large": (RequestDataTooBig("text"), 413, "request_too_large", "The request's body is too large."),
    "another method": (exceptions.MethodNotAllowed("PUT"), 405, "invalid_request_error", 'Method "PUT" not allowed.'),
    "another answer": (exceptions.NotAcceptable(), 406, "invalid_request_error", "Could not satisfy the request"),
    "a lost database": (OperationalError("text"), 503, "overloaded_error", "The platform's database can't be reached"),
    "a value beyond its column": (of_database(OperationalError, "22003"), 400, "invalid_request_error", "A value in"),
    "a row that is referred to": (
        of_database(IntegrityError, "23503"),
        409,
        "conflict_error",
        "The object that this request refers to",
    ),
    "a full disk": (of_database(OperationalError, "53100"), 503, "overloaded_error", "The database has no space left"),
    "a state not known": (of_database(OperationalError, "ZZ000"), 503, "overloaded_error", "The database could not"),
    "a deadlock": (Raised("40P01"), 503, "overloaded_error", "Too many requests changed the same rows"),
}


@pytest.mark.parametrize(("error", "status", "kind", "message"), RAISED.values(), ids=RAISED)
def test_an_error_becomes(error: Exception, status: int, kind: str, message: str) -> None:
    ours = translate(error)
    assert ours is not None
    assert (ours.status, ours.type) == (status, kind)
    assert ours.message.startswith(message)
    assert "text for the log" not in ours.message


def test_a_bug_of_ours_is_left_to_django() -> None:
    assert translate(KeyError("x")) is None
    assert handle(KeyError("x"), {}) is None


@pytest.mark.parametrize(
    ("error", "headers"),
    [
        (ColloquyError(), {}),
        (ColloquyError(retry_after=0), {}),
        (ColloquyError(retry_after=1), {"Retry-After": "1"}),
        (ColloquyError(retry_after=1.01), {"Retry-After": "2"}),
        (errors.RateLimited(retry_after=3), {"Retry-After": "3"}),
        (
            errors.RateLimited(retry_after=2.5, details={"most": 60}),
            {"Retry-After": "3", "RateLimit-Limit": "60", "RateLimit-Remaining": "0", "RateLimit-Reset": "3"},
        ),
        (errors.Unavailable(retry_after=3, details={"most": 60}), {"Retry-After": "3"}),
        (errors.RateLimited(details={"most": 60}), {}),
    ],
    ids=["none", "no time", "a second", "more than a second", "a limit", "a limit of a number", "no limit", "untimed"],
)
def test_the_headers_tell_when_to_come_again(error: ColloquyError, headers: dict[str, str]) -> None:
    """`Retry-After` is in whole seconds, rounded up."""
    assert headers_of(error) == headers


def context(path: str = "/api/me/") -> Any:
    request = RequestFactory().get(path)
    return {"request": SimpleNamespace(_request=request, accepted_renderer=None, accepted_media_type="")}


@pytest.mark.parametrize(
    ("error", "headers"),
    [
        (errors.NotAuthenticated(), {"WWW-Authenticate": "Bearer"}),
        (errors.PermissionDenied(), {}),
        (errors.RateLimited(retry_after=2), {"Retry-After": "2"}),
    ],
)
def test_a_views_error_is_answered_as_json_whatever_was_asked_for(
    monkeypatch: pytest.MonkeyPatch, error: ColloquyError, headers: dict[str, str]
) -> None:
    monkeypatch.setattr(error_responses, "set_rollback", lambda: None)  # there is no transaction here
    given = context()
    response = handle(error, given)
    assert response is not None
    assert (response.status_code, response.data["error"]["type"]) == (error.status, error.type)
    assert {name: response.headers[name] for name in headers} == headers
    assert ("WWW-Authenticate" in response.headers) == ("WWW-Authenticate" in headers)
    assert given["request"].accepted_media_type == "application/json"


PAGES: dict[str, tuple[Any, int, str]] = {
    "400": (lambda request: error_responses.bad_request(request, Exception()), 400, "invalid_request_error"),
    "403": (lambda request: error_responses.permission_denied(request, Exception()), 403, "permission_error"),
    "404": (lambda request: error_responses.page_not_found(request, Http404()), 404, "not_found_error"),
    "500": (error_responses.server_error, 500, "api_error"),
}


@pytest.mark.parametrize(("page", "status", "kind"), PAGES.values(), ids=PAGES)
def test_djangos_own_pages_are_json_under_api_and_html_elsewhere(page: Any, status: int, kind: str) -> None:

    under = page(RequestFactory().get("/api/nothing/"))
    assert (under.status_code, under["Content-Type"]) == (status, "application/json")
    assert json.loads(under.content)["error"]["type"] == kind
    elsewhere = page(RequestFactory().get("/nothing/"))
    assert elsewhere.status_code == status
    assert elsewhere["Content-Type"].startswith("text/html")


def test_an_error_of_ours_on_a_page_is_said_there_in_html() -> None:
    told = error_responses.tell(lambda request: None).process_exception  # type: ignore[arg-type, return-value, attr-defined]
    page = told(RequestFactory().get("/review/"), errors.RateLimited("<b>Slow</b>", retry_after=2))
    assert (page.status_code, page["Retry-After"]) == (429, "2")
    assert b"&lt;b&gt;Slow&lt;/b&gt;" in page.content
    assert told(RequestFactory().get("/review/"), KeyError("x")) is None
    assert told(RequestFactory().get("/api/"), errors.NotFound())["Content-Type"] == "application/json"
