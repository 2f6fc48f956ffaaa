"""The error responses of operations: their statuses, meanings, and common body (api.md)."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiResponse

from conversations.api.schema.components import Shape
from conversations.contract.error_types import ErrorResponse
from conversations.json_types import JSONSchema

MEANINGS: dict[int, str] = {
    400: "`invalid_request_error`: malformed, an unknown field or parameter, a value that is not taken; "
    "`details` names the fields.",
    401: "`authentication_error`: no credentials, or none that are valid any more.",
    403: "`permission_error`: a session without its CSRF token, or something that only others may do.",
    404: "`not_found_error`: it is not there, or not yours.",
    406: "`invalid_request_error`: no media type that `Accept` names can be sent.",
    409: "`conflict_error`: something else goes on that has to end first; `details.turn` names an active turn.",
    413: "`request_too_large`: the body or a file in it is over the limit.",
    415: "`unsupported_media_type`: a body that is not of the media type named here, or no image or document that "
    "Claude takes.",
    422: "`idempotency_error`: the key was used with another body.",
    429: "`rate_limit_error` or `budget_exceeded`: a limit or a budget is reached; `details` says which, and when it "
    "frees.",
    502: "`api_error`, or the type that Claude gave: Claude failed.",
    503: "`overloaded_error`: Claude is overloaded, the database is away, or the server restarts.",
    504: "`timeout_error`: Claude was too slow.",
}
ASKED_CLAUDE = (502, 504)
"""The statuses of operations that wait for Claude."""

RETRY_AFTER: JSONSchema = {
    "Retry-After": {"description": "Seconds after which to try again.", "schema": {"type": "integer", "minimum": 0}}
}
HEADERS: dict[int, JSONSchema] = {429: RETRY_AFTER, 503: RETRY_AFTER}


def errors(*statuses: int) -> dict[tuple[int, str], OpenApiResponse]:
    """Return the responses for these statuses, in the form of `extend_schema`."""
    body = Shape(ErrorResponse)
    return {(each, "application/json"): OpenApiResponse(body, description=MEANINGS[each]) for each in statuses}


def statuses_of(*, authenticated: bool, unsafe: bool, has_body: bool, has_id: bool) -> list[int]:
    """Return the error statuses of every operation of this kind."""
    applies = {
        400: True,
        401: authenticated,
        403: authenticated and unsafe,
        404: has_id,
        406: True,
        413: has_body,
        415: has_body,
        429: authenticated,
        503: True,
    }
    return [status for status, does in applies.items() if does]
