"""Errors in Claude's own shape (claude-api.md 5), and the values that they and turns' ends have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, NotRequired

from typing_extensions import TypeAliasType, TypedDict

from conversations.contract.schema_building import open_enum

ErrorType = TypeAliasType(
    "ErrorType",
    Annotated[
        str,
        open_enum(
            "invalid_request_error",
            "authentication_error",
            "permission_error",
            "not_found_error",
            "conflict_error",
            "request_too_large",
            "unsupported_media_type",
            "idempotency_error",
            "rate_limit_error",
            "budget_exceeded",
            "billing_error",
            "api_error",
            "overloaded_error",
            "timeout_error",
        ),
    ],
)
"""Those of Claude's that are not known yet are passed on as they are."""

StopReason = TypeAliasType(
    "StopReason",
    Annotated[
        str,
        open_enum(
            "end_turn",
            "max_tokens",
            "stop_sequence",
            "tool_use",
            "pause_turn",
            "refusal",
            "model_context_window_exceeded",
            "compaction",
        ),
    ],
)


class StopDetails(TypedDict):
    """Details of a stop, such as the category of a refusal, as Claude sends them."""

    type: NotRequired[str]
    category: NotRequired[str | None]
    explanation: NotRequired[str | None]


class ErrorDetail(TypedDict):
    """An error's type and message. `details` names the fields, the limit or the turn concerned."""

    type: ErrorType
    message: str
    details: NotRequired[Mapping[str, object]]


class ErrorResponse(TypedDict):
    """An error, in the shape that Claude's API uses."""

    type: Literal["error"]
    error: ErrorDetail
    request_id: NotRequired[str]


class Failure(TypedDict):
    """The error that made a turn or an extraction fail; `retry_after` is in seconds, if Claude sends it."""

    type: ErrorType
    message: str
    retry_after: NotRequired[int]
