"""The errors with which the sandbox refuses requests."""

from __future__ import annotations

from conversations.sandbox.request_text import Body

TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    503: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}
STATUSES = {type: status for status, type in reversed(TYPES.items())}


class Refused(Exception):
    """A request that Claude's API would refuse, with its status and type."""

    def __init__(self, status: int, message: str, *, type: str | None = None, headers: dict[str, str] | None = None):
        super().__init__(message)
        self.status = status
        self.type = type or TYPES.get(status, "api_error")
        self.headers = headers or {}

    def envelope(self, request_id: str) -> Body:
        """Return the error as a JSON body in the format of Claude's API (claude-api.md 5)."""
        error = {"type": self.type, "message": str(self)}
        return {"type": "error", "error": error, "request_id": request_id}


def require(fine: object, message: str) -> None:
    """Raise Refused, as an invalid request, if a condition is false."""
    if not fine:
        raise Refused(400, message)
