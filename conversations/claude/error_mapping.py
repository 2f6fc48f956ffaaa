"""Mapping the SDK's exceptions to ours, by type."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from email.utils import mktime_tz, parsedate_tz
from typing import TYPE_CHECKING

from conversations.claude.values import error_message, error_type
from conversations.errors import (
    ClaudeError,
    ConnectionFailed,
    MalformedAnswer,
    StreamCut,
    StreamStalled,
    TimedOut,
    status_of,
)

if TYPE_CHECKING:
    import anthropic

CREDENTIALS = "Claude's API rejects the key or the account of this platform: its operator has to fix that."
"""The message for users when Claude refuses our key, our permission or our account."""

OURS = frozenset({401, 402, 403})


@contextmanager
def translated(*, streaming: bool = False) -> Iterator[None]:
    """Convert exceptions of the SDK and its transport to ClaudeErrors; `streaming` once the response has begun."""
    try:
        yield
    except Exception as error:
        ours = translate(error, streaming=streaming)
        if ours is None:
            raise
        try:
            raise ours from error
        finally:
            del ours  # else it would refer to itself, and keep all frames, with the request, until it is collected


def translate(error: Exception, *, streaming: bool = False) -> ClaudeError | None:
    """Return the most specific ClaudeError for an exception of the SDK; None for any other exception."""
    import anthropic  # which the client has imported (see there)
    import httpx2

    match error:
        case anthropic.APITimeoutError() | httpx2.TimeoutException():
            return StreamStalled() if streaming else TimedOut()
        case anthropic.APIStatusError():
            return _status_error(error)
        case anthropic.APIConnectionError() | httpx2.HTTPError() | httpx2.InvalidURL() | httpx2.StreamError():
            return StreamCut() if streaming else ConnectionFailed()
        case UnicodeDecodeError():  # the connection ended inside a character
            return StreamCut()
        case json.JSONDecodeError():
            return MalformedAnswer("it is not JSON")
        case anthropic.APIResponseValidationError():
            return ClaudeError("Claude's answer could not be read.", upstream_status=error.status_code)
        case anthropic.CredentialsError():
            return ClaudeError(CREDENTIALS, type="authentication_error")
        case anthropic.AnthropicError():  # RetryableError, webhooks' and others: none says anything for a user
            return ClaudeError()
    return None


def _status_error(error: anthropic.APIStatusError) -> ClaudeError:
    kind = error_type(error.type or _TYPES.get(error.status_code))
    ours = error.status_code in OURS
    translated = ClaudeError(
        CREDENTIALS if ours else error_message(error.api_message),
        type=kind,
        status=502 if ours else status_of(kind),
        upstream_status=error.status_code,
        upstream_type=error.type,
        request_id=error.request_id,
        retry_after=_retry_after(error.response.headers),
        code=error.error_code,
    )
    translated.retryable = _may_help_again(error)
    return translated


def _may_help_again(error: anthropic.APIStatusError) -> bool:
    """Return whether to retry, as the SDK decides it (claude-api.md 1.3): the server's header takes precedence."""
    said = error.response.headers.get("x-should-retry")
    if said in ("true", "false"):
        return bool(said == "true")
    return error.status_code in (408, 409, 429) or error.status_code >= 500


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


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds after which to retry, from a header in seconds or as a date, if there is one."""
    milliseconds, seconds = headers.get("retry-after-ms", ""), headers.get("retry-after", "")
    for text, unit in ((milliseconds, 0.001), (seconds, 1.0)):
        with suppress(ValueError):
            return _possible(float(text) * unit)
    with suppress(ValueError, OverflowError):  # an invalid date
        date = parsedate_tz(seconds)
        return _possible(mktime_tz(date) - time.time()) if date else None
    return None


def _possible(seconds: float) -> float | None:
    return seconds if math.isfinite(seconds) and seconds > 0 else None
