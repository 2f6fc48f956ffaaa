"""Every error in the contract's shape: our own, those of the framework, and those of Django under `/api/`."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import DisallowedHost, ObjectDoesNotExist, RequestDataTooBig
from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.html import format_html
from django.views import defaults
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from conversations import database_faults
from conversations.api.middleware import id_of
from conversations.api.renderers import JSONRenderer
from conversations.errors import (
    ColloquyError,
    InvalidRequest,
    NotAuthenticated,
    NotFound,
    PermissionDenied,
    RateLimited,
    TooLarge,
    UnsupportedMediaType,
)

logger = logging.getLogger(__name__)

View = Callable[[HttpRequest], HttpResponseBase]


def handle(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """Return the response to a view's exception; DRF calls this.

    None for a bug, which Django then logs and answers with `server_error`.
    """
    ours = translate(error)
    if ours is None:
        return None
    set_rollback()
    request = context["request"]
    # An event stream that never began is an ordinary response.
    request.accepted_renderer, request.accepted_media_type = JSONRenderer(), JSONRenderer.media_type
    headers = headers_of(ours)
    if isinstance(ours, NotAuthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    return Response(ours.payload(id_of(request._request)), status=ours.status, headers=headers)


def headers_of(error: ColloquyError) -> dict[str, str]:
    """Return the headers that go with an error."""
    if not error.retry_after:
        return {}
    seconds = str(math.ceil(error.retry_after))
    limit = (error.details or {}).get("most") if isinstance(error, RateLimited) else None
    told = {"RateLimit-Limit": str(limit), "RateLimit-Remaining": "0", "RateLimit-Reset": seconds} if limit else {}
    return {"Retry-After": seconds, **told}


def translate(error: Exception) -> ColloquyError | None:
    """Convert an exception of Django, DRF or the database into one of ours; None if there is no equivalent."""
    match error:
        case ColloquyError():
            return error
        case exceptions.ValidationError():
            return invalid(error.detail)
        case exceptions.ParseError():
            return InvalidRequest(str(error.detail))
        case exceptions.NotAuthenticated() | exceptions.AuthenticationFailed():
            return NotAuthenticated(str(error.detail))
        case exceptions.PermissionDenied() | DjangoPermissionDenied():
            return PermissionDenied(str(getattr(error, "detail", "")))
        case exceptions.NotFound() | Http404():
            return NotFound()
        case ObjectDoesNotExist():  # ids of clients are looked up by `get_by_id`: this row was deleted since then
            logger.warning("A row was deleted while a request used it: %s", error, exc_info=error)
            return NotFound("The object that this request refers to was deleted meanwhile.")
        case exceptions.UnsupportedMediaType():
            return UnsupportedMediaType(str(error.detail))
        case exceptions.Throttled():
            return RateLimited(str(error.detail), retry_after=getattr(error, "wait", None))
        case RequestDataTooBig():
            return TooLarge("The request's body is too large.")
        case exceptions.APIException():
            return _other(error)
    return _of_database(error)


def _of_database(error: Exception) -> ColloquyError | None:
    ours = database_faults.translate(error)
    if ours is not None:
        logger.error("The database failed a request: %s", error, exc_info=error)
    return ours


def invalid(detail: object) -> InvalidRequest:
    """Return a serializer's errors as one error: the message names the first, `details` all of them by field."""
    fields = dict(_flat(detail))
    field, complaint = next(iter(fields.items()))
    return InvalidRequest(f"{field}: {complaint}" if field else complaint, details=fields)


def _flat(detail: object, path: str = "") -> list[tuple[str, str]]:
    if isinstance(detail, dict):
        named = [(str(key), value) for key, value in detail.items()]
    elif isinstance(detail, list) and any(isinstance(item, (dict, list)) for item in detail):
        named = [(str(index), item) for index, item in enumerate(detail) if item]
    else:
        return [(path, " ".join(map(str, detail)) if isinstance(detail, list) else str(detail))]
    return [
        pair
        for key, value in named
        for pair in _flat(value, path if key == "non_field_errors" else f"{path}.{key}".lstrip("."))
    ]


def _other(error: exceptions.APIException) -> ColloquyError:
    """Return 406, 405 and similar errors as an invalid request, since Claude's API has no types for them."""
    other = InvalidRequest(str(error.detail))
    other.status = error.status_code
    return other


# --- Django's own pages -----------------------------------------------------------------------------------------------


def _page(request: HttpRequest, error: ColloquyError) -> JsonResponse | None:
    if not request.path.startswith("/api/"):
        return None
    return JsonResponse(error.payload(id_of(request)), status=error.status)


UNKNOWN_HOST = "The header Host is not one of this server's hosts. Its operator can add it to DJANGO_ALLOWED_HOSTS."


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 400 outside of DRF, usually for an unknown host."""
    error = InvalidRequest(UNKNOWN_HOST) if isinstance(exception, DisallowedHost) else InvalidRequest()
    return _page(request, error) or defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 403 outside of DRF."""
    return _page(request, PermissionDenied()) or defaults.permission_denied(request, exception)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 404 for an unknown path."""
    slash = "" if request.path.endswith("/") else " Paths of the API end with a slash."
    nothing = NotFound(f"There is nothing at this path.{slash} /api/docs/ lists all endpoints.")
    return _page(request, nothing) or defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500 with the request id, under which the log has the traceback."""
    logger.error("Request %s failed", id_of(request))
    return _page(request, ColloquyError()) or defaults.server_error(request)


def tell(get_response: View) -> View:
    """Return the response to one of our errors that a Django view raised; DRF's views use `handle`."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        return get_response(request)

    middleware.process_exception = _told  # type: ignore[attr-defined]
    return middleware


def _told(request: HttpRequest, error: Exception) -> HttpResponse | None:
    if not isinstance(error, ColloquyError):
        return None
    said = format_html("<!doctype html><title>Colloquy</title><h1>{}</h1>", error.message)
    page = _page(request, error) or HttpResponse(said, status=error.status)
    for name, value in headers_of(error).items():
        page[name] = value
    return page
