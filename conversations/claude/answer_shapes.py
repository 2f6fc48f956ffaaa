"""The shapes of non-streaming responses (claude-api.md 2.2, 14.2), which the SDK does not validate. Pure."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, Field

from conversations.claude.event_shapes import Id, Kind, Shape

Count = Annotated[int, Field(ge=0)]


class TokenCountShape(Shape):
    """How many input tokens a request has."""

    input_tokens: Count


class BatchCountsShape(Shape):
    """How many items of a batch are in each state."""

    processing: Count
    succeeded: Count
    errored: Count
    canceled: Count
    expired: Count


class BatchShape(Shape):
    """A batch of requests."""

    id: Id
    processing_status: Kind
    created_at: AwareDatetime
    ended_at: AwareDatetime | None = None
    request_counts: BatchCountsShape
