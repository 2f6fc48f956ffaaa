"""The events of transcripts as the platform works with them: Claude's (claude-api.md 4.1), and ours around them.

As in `wire`, an event has the fields of all kinds, and `type` tells which of them are there. What clients are told of
each kind stands in `event_types` and `extraction_types`.
"""

from __future__ import annotations

from typing import Required

from typing_extensions import TypedDict

from conversations.contract.error_types import Failure
from conversations.contract.extraction_types import Problem
from conversations.contract.wire import Answer, Block, Delta, Usage
from conversations.json_types import JSON


class Event(TypedDict, total=False):
    """An event of a transcript."""

    type: Required[str]

    message: Answer
    index: int
    content_block: Block
    delta: Delta
    usage: Usage

    conversation: str
    user_message: str | None
    model: str
    tool_use_id: str
    content: str | list[Block]
    is_error: bool
    error: Failure
    status: str
    stop_reason: str | None
    cost: str | None
    messages: list[str]

    data: JSON
    span: int
    """How many positions a snapshot stands for."""
    attempt: int
    problems: list[Problem]
