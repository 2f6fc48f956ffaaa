"""Everything that can go wrong, and how the API says it.

ColloquyError
├── InvalidRequest          400 invalid_request_error
├── NotAuthenticated        401 authentication_error
├── PermissionDenied        403 permission_error
├── NotFound                404 not_found_error
│   └── Deleted             it was deleted while somebody waited for it or followed it
├── Conflict                409 conflict_error
├── TooLarge                413 request_too_large
├── UnsupportedMediaType    415 unsupported_media_type
├── IdempotencyMismatch     422 idempotency_error
├── RateLimited             429 rate_limit_error
├── BudgetExceeded          429 budget_exceeded
├── Unavailable             503 overloaded_error
└── ClaudeError             what Claude, or the way to it, did; 502, 503, 504 or the request's own 4xx
    ├── ConnectionFailed    no response came
    ├── TimedOut            no response came in time
    ├── StreamError         an error event in the stream
    ├── StreamCut           the connection was dropped in the stream
    ├── StreamStalled       the stream fell silent
    ├── StreamIncomplete    the stream ended well-formed, without message_stop
    └── MalformedAnswer     what came is not what Claude's API sends
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Self

if TYPE_CHECKING:
    from conversations.contract.error_types import ErrorDetail, ErrorResponse, Failure


class ColloquyError(Exception):
    """The platform could not do this; its log says why, under the id of this request."""

    default_type: ClassVar[str] = "api_error"
    default_status: ClassVar[int] = 500
    retryable = False
    """Whether a retry may succeed."""

    def __init__(
        self, message: str = "", *, details: Mapping[str, object] | None = None, retry_after: float | None = None
    ) -> None:
        self.message = message or (type(self).__doc__ or "").splitlines()[0]
        super().__init__(self.message)
        self.type: str = self.default_type
        self.status: int = self.default_status
        self.details = details
        self.retry_after = retry_after
        """Seconds after which to retry, if they are known."""

    def payload(self, request_id: str | None = None) -> ErrorResponse:
        """Return the error in Claude's shape."""
        error: ErrorDetail = {"type": self.type, "message": self.message}
        if self.details:
            error["details"] = self.details
        payload: ErrorResponse = {"type": "error", "error": error}
        if request_id:
            payload["request_id"] = request_id
        return payload

    def kept(self) -> Failure:
        """Return what work that it ended keeps of it; `retry_after` in seconds, where that is known."""
        kept: Failure = {"type": self.type, "message": self.message}
        if self.retry_after:
            kept["retry_after"] = math.ceil(self.retry_after)
        return kept


class InvalidRequest(ColloquyError):
    """The request is malformed."""

    default_type, default_status = "invalid_request_error", 400

    @classmethod
    def at(cls, path: str, complaint: str) -> Self:
        """Return the complaint about one place in what was sent."""
        return cls(f"{path}: {complaint}", details={path: complaint})


class NotAuthenticated(ColloquyError):
    """Credentials are missing or not valid."""

    default_type, default_status = "authentication_error", 401


class PermissionDenied(ColloquyError):
    """These credentials do not allow this."""

    default_type, default_status = "permission_error", 403


class NotFound(ColloquyError):
    """What was asked for is not there, or belongs to somebody else."""

    default_type, default_status = "not_found_error", 404


class Deleted(NotFound):
    """What is waited for or followed has been deleted meanwhile."""


class Conflict(ColloquyError):
    """This can't be done while something else is going on."""

    default_type, default_status = "conflict_error", 409


class TooLarge(ColloquyError):
    """The request or a file in it is too large."""

    default_type, default_status = "request_too_large", 413


class UnsupportedMediaType(ColloquyError):
    """This is not a file of a kind that is taken here."""

    default_type, default_status = "unsupported_media_type", 415


class IdempotencyMismatch(ColloquyError):
    """This idempotency key was used for another request."""

    default_type, default_status = "idempotency_error", 422


class RateLimited(ColloquyError):
    """A limit of the platform is reached: try again later."""

    default_type, default_status, retryable = "rate_limit_error", 429, True


class BudgetExceeded(ColloquyError):
    """The budget is used up."""

    default_type, default_status = "budget_exceeded", 429


class Unavailable(ColloquyError):
    """The platform is restarting, or its database can't be reached: try again in a moment."""

    default_type, default_status, retryable = "overloaded_error", 503, True


class ClaudeError(ColloquyError):
    """Claude could not answer."""

    default_status = 502

    def __init__(
        self,
        message: str = "",
        *,
        type: str | None = None,
        status: int | None = None,
        upstream_status: int | None = None,
        upstream_type: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        code: str | None = None,
        details: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message, details=details, retry_after=retry_after)
        self.type = type or self.default_type
        self.status = status or self.default_status
        self.upstream_status = upstream_status
        """The HTTP status that Claude's API answered; 200 for an error in a stream."""
        self.upstream_type = upstream_type
        self.request_id = request_id
        self.code = code
        """Claude's stable `error_code`, if the error has one."""

    @classmethod
    def of_kept(cls, kept: Failure, **details: str) -> ClaudeError:
        """Return the error of which work has kept this, for whoever waits for the work that `details` names."""
        kind = kept["type"]
        return cls(
            kept["message"],
            type=kind,
            status=status_of(kind),
            retry_after=kept.get("retry_after"),
            details=dict(details),
        )


class ConnectionFailed(ClaudeError):
    """Claude could not be reached."""

    retryable = True


class TimedOut(ClaudeError):
    """Claude took too long to answer."""

    default_type, default_status, retryable = "timeout_error", 504, True


class StreamError(ClaudeError):
    """Claude reported an error while it answered."""

    retryable = True


class StreamCut(ClaudeError):
    """The connection to Claude was cut while it answered."""

    retryable = True


class StreamStalled(ClaudeError):
    """Claude fell silent while it answered."""

    default_type, default_status, retryable = "timeout_error", 504, True


class StreamIncomplete(ClaudeError):
    """Claude's answer stopped before its end."""

    retryable = True


class MalformedAnswer(ClaudeError):
    """Claude's answer could not be read."""

    def __init__(self, what: str) -> None:
        """Keep `what`: in a few words what was wrong with the answer, and where."""
        super().__init__(f"Claude's answer could not be read: {what}.")


STATUSES = {
    "invalid_request_error": 400,
    "not_found_error": 404,
    "request_too_large": 413,
    "budget_exceeded": 429,
    "overloaded_error": 503,
    "rate_limit_error": 503,
    "timeout_error": 504,
}


def status_of(error_type: str) -> int:
    """Return the HTTP status for a caller who waited for an answer and got this type of Claude's errors."""
    return STATUSES.get(error_type, 502)
