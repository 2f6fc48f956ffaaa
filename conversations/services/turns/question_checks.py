"""Checking whether a question is valid after the messages before it."""

from __future__ import annotations

import uuid

from conversations.content import history, sources
from conversations.contract.wire import Block, Settings
from conversations.errors import InvalidRequest
from conversations.models import Message
from conversations.services.turns import message_paths, turn_requests


def check_question(conversation_id: uuid.UUID, question: Message, settings: Settings) -> None:
    """Refuse a question that Claude would not accept after its parent. Raise InvalidRequest, TooLarge."""
    _check_results(question.parent_id, question.content)
    check_files(conversation_id, question.parent_id, [question], settings)


def check_files(conversation_id: uuid.UUID, after: uuid.UUID | None, said: list[Message], settings: Settings) -> None:
    """Refuse files that exceed the limits together with those on the path, which would block later questions.

    If the newest message has no files, there is nothing to check.
    """
    newest = said[-1].content
    if sources.images_in(newest) or sources.attachments_in(newest):
        turn_requests.check_files([*message_paths.path_to(conversation_id, after), *said], settings)


def _check_results(parent: uuid.UUID | None, content: list[Block]) -> None:
    """Refuse tool results that do not directly follow the answer with their calls, as Claude does."""
    results = {block["tool_use_id"] for block in content if block["type"] == "tool_result"}
    if not results:
        return
    answer = Message.objects.select_related("parent").filter(pk=parent).first() if parent else None
    if answer and history.only_results(answer.content):
        answer = answer.parent  # the results of some of its calls are there already
    calls = history.open_call_ids(answer.content, answer.stop_reason) if answer else []
    if unknown := sorted(results - {*calls}):
        raise InvalidRequest(
            f"content: The message before has no open tool call {', '.join(unknown)}.",
            details={"content": "results of no call"},
        )
