"""The error responses of operations: their statuses, meanings, and common body (api.md)."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiResponse

from conversations.api.schema.components import Shape
from conversations.contract.error_types import ErrorResponse
from conversations.json_types import JSONSchema

MEANINGS: dict[int, str] = {
    400: "`invalid_request_error`: the request is malformed, or has an unknown field or parameter or an invalid "
    "value; `details` names the fields.",
    401: "`authentication_error`: the credentials are missing, invalid or expired.",
    403: "`permission_error`: a session without its CSRF token, or an action that this user may not perform.",
    404: "`not_found_error`: the object does not exist, or the caller has no access to it.",
    406: "`invalid_request_error`: the endpoint supports none of the media types in `Accept`.",
    409: "`conflict_error`: something else has to end first; if it is a conversation's active turn, `details.turn` "
    "has its id.",
    413: "`request_too_large`: the body or a file in it exceeds the limit.",
    415: "`unsupported_media_type`: the body does not have the documented media type, or the file is not a "
    "supported image or document.",
    422: "`idempotency_error`: the key was used before with a different body.",
    429: "`rate_limit_error` or `budget_exceeded`: a limit or a budget is reached; `details` says which, and when "
    "it is available again.",
    502: "`api_error`, or the type that Claude's API returned: Claude failed.",
    503: "`overloaded_error`: Claude is overloaded, the database is unavailable, or the server is restarting.",
    504: "`timeout_error`: Claude did not respond in time.",
}
ASKED_CLAUDE = (502, 504)
"""The statuses of operations that wait for Claude."""

RETRY_AFTER: JSONSchema = {
    "Retry-After": {"description": "Seconds after which to retry.", "schema": {"type": "integer", "minimum": 0}}
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
