"""The SDK's exceptions as ours, mapped once, by type."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import anthropic
import httpx2

from conversations.errors import ClaudeError, ConnectionFailed, StreamCut, StreamStalled, TimedOut, status_of

CREDENTIALS = "The platform's access to Claude is not in order."
"""All that a user is told when it is our key, our permission or our account that Claude refuses."""

OURS = frozenset({401, 402, 403})

TRANSPORT = (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError)


@contextmanager
def translated(*, streaming: bool = False) -> Iterator[None]:
    """Raises what the SDK or its transport raises as a ClaudeError; `streaming` once the response has begun."""
    try:
        yield
    except (anthropic.AnthropicError, *TRANSPORT, UnicodeDecodeError) as error:
        raise translate(error, streaming=streaming) from error


def translate(error: Exception, *, streaming: bool = False) -> ClaudeError:
    """The ClaudeError for an exception of the SDK, the most specific that there is."""
    match error:
        case anthropic.APITimeoutError() | httpx2.TimeoutException():
            return StreamStalled() if streaming else TimedOut()
        case anthropic.APIStatusError():
            return _status_error(error)
        case anthropic.APIConnectionError() | httpx2.HTTPError() | httpx2.InvalidURL() | httpx2.StreamError():
            return StreamCut() if streaming else ConnectionFailed()
        case UnicodeDecodeError():  # the connection ended inside a character
            return StreamCut()
        case anthropic.APIResponseValidationError():
            return ClaudeError("Claude's answer could not be read.", upstream_status=error.status_code)
        case anthropic.CredentialsError():
            return ClaudeError(CREDENTIALS, type="authentication_error")
    # RetryableError, webhook and other errors of the SDK's own: none of them says anything for a user.
    return ClaudeError()


def _status_error(error: anthropic.APIStatusError) -> ClaudeError:
    kind = error.type or _TYPES.get(error.status_code, "api_error")
    ours = error.status_code in OURS
    return ClaudeError(
        CREDENTIALS if ours else error.api_message or "",
        type=kind,
        status=502 if ours else status_of(kind),
        upstream_status=error.status_code,
        upstream_type=error.type,
        request_id=error.request_id,
        retry_after=_retry_after(error),
        code=error.error_code,
    )


# For responses without Claude's envelope, as an edge server before the API sends them.
_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
    503: "overloaded_error",
}


def _retry_after(error: anthropic.APIStatusError) -> float | None:
    try:
        return float(error.response.headers.get("retry-after", ""))
    except ValueError:
        return None
