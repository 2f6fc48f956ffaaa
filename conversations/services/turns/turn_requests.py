"""Building Messages requests from stored data."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

from django.conf import settings as django_settings
from django.db.models import Q

from conversations import tools
from conversations.claude import catalogue
from conversations.content import cache_marks, foreign_answers, history
from conversations.content.folding import Folded, fold
from conversations.content.sources import attachments_in, check_attachments, with_sources
from conversations.content.transcript import encode
from conversations.contract.wire import Block, Request, Settings, Source
from conversations.errors import InvalidRequest
from conversations.models import Message, Turn, User
from conversations.services.files import attachment_owners, attachments
from conversations.services.turns import message_paths, transcripts

SMALL_WINDOW = 200_000  # tokens
BYTES_PER_TOKEN = 6  # of text, on average at most
NO_TEXT: Source = {"type": ""}
UNTAKEN = frozenset({"invalid_request_error", "request_too_large"})
"""The errors of a request for which a retry would fail, too."""


def request_for_path(
    path: Sequence[Message],
    settings: Settings,
    expand: Callable[[Sequence[Block]], list[Block]] = attachments.as_claude_takes,
    container: str | None = None,
) -> Request:
    """Return the request for a path of messages that ends in a user's message, under a turn's settings.

    `container` is where the code of Claude's runs that the newest answer is to continue with.
    """
    path = _without_untaken(path, settings["model"])
    said = [
        history.Said(message.role, _content(message), message.stop_reason, prefix=_prefix_of(message))
        for message in path
    ]
    check_files(path, settings)
    plain: Settings = {**settings, "tools": tools.tools_for_claude(settings.get("tools") or [])}
    model = catalogue.find(settings["model"])
    bound = model is None or model.preserved_thinking
    request = history.build_request(said, plain, expand, request_prefix(settings), bound=bound, container=container)
    # A local server's model may not support cache marks.
    keeps = model.cache_minimum if model and django_settings.COLLOQUY_PROMPT_CACHING else None
    return cache_marks.with_cache_marks(request, keeps)


def request_of_turn(
    turn: Turn, folded: list[Folded], expand: Callable[[Sequence[Block]], list[Block]] = attachments.with_paths
) -> Request:
    """Return the request for a turn's path and its messages so far, under its settings."""
    said = [
        Message(role=each.role, content=each.content, stop_reason=each.stop_reason, turn=turn)
        for each in folded
        if each.role == Message.Role.USER or each.stopped
    ]
    known = is_in_memory(turn) and not said
    path = [turn.question] if known else message_paths.path_to(turn.conversation_id, turn.answers_after)
    return request_for_path([*path, *said], turn.settings, expand, _container(path, folded))


def is_in_memory(turn: Turn) -> bool:
    """Return whether all data for a turn's first request is in memory: a conversation's first question."""
    asked = turn.question if Turn.user_message.is_cached(turn) and turn.continues_id is None else None
    return asked is not None and asked.parent_id is None and not attachments_in(asked.content)


def _container(path: Sequence[Message], folded: list[Folded]) -> str | None:
    """Return the container of Claude's code in a turn: the code waits there for the results of its tool calls.

    A turn continues an answer where only results of its tools come after it on the path. Then the container may be that
    of the answer's turn.
    """
    after = 0
    while after < len(path) and history.only_results(path[-1 - after].content):
        after += 1
    before = path[-1 - after] if after < len(path) else None
    continued = before.turn if before and before.role == Message.Role.ASSISTANT else None
    folded = [*(fold(transcripts.committed(continued)) if continued else []), *folded]
    given = [found for each in folded if isinstance(found := each.envelope.get("container"), dict)]
    return given[-1].get("id") if given else None


def _without_untaken(path: Sequence[Message], model: str) -> Sequence[Message]:
    """Return the path without questions, tool results or files that exceed this model's limits.

    They have no answer. They would be refused again with every later question, and so block the conversation.
    """
    unanswered = {each.pk for each, after in pairwise(path) if each.role == after.role == Message.Role.USER}
    if not unanswered:
        return path
    asked = Q(user_message__in=unanswered) | Q(messages__in=unanswered)
    failed = Turn.objects.filter(asked, status=Turn.Status.FAILED, model=model)
    turns = {turn.pk: turn.user_message_id for turn in failed if turn.error["type"] in UNTAKEN}
    untaken = {each.pk for each in path if each.pk in turns.values() or each.turn_id in turns}
    return [message for message in path if message.pk not in untaken & unanswered]


def check_files(path: Sequence[Message], settings: Settings) -> None:
    """Refuse a path with more images, or heavier files, than a request may have, by InvalidRequest or TooLarge."""
    model = catalogue.find(settings["model"])
    small = model is not None and model.context_window <= SMALL_WINDOW
    blocks = [block for message in path for block in message.content]
    attachments.check_images(blocks, attachments.MOST_IMAGES_SMALL if small else attachments.MOST_IMAGES)
    attachments.check_weight(blocks)


def check_results_fit(blocks: Sequence[Block], settings: Settings) -> None:
    """Raise InvalidRequest for tool results whose text alone exceeds the model's context window.

    Only clear cases are refused here. Close ones are counted by Claude before the request is sent, and left out of
    later requests if they did not fit.
    """
    model = catalogue.find(settings["model"])
    said = with_sources(blocks, lambda source: source if source["type"] == "text" else NO_TEXT)
    size = len(encode(said).encode())
    limit = model.context_window * BYTES_PER_TOKEN if model else size
    if model and size > limit:
        raise InvalidRequest(
            f"The results have {size} bytes of text; {model.id} can take {limit} at most. Return less, or in parts.",
            details={"size": size, "limit": limit},
        )


def _content(message: Message) -> list[Block]:
    """Return the content of a message, filtered if it was imported or copied."""
    foreign = message.role == Message.Role.ASSISTANT and message.turn_id is None
    return foreign_answers.acceptable(message.content) if foreign else message.content


def _prefix_of(message: Message) -> tuple[object, ...] | None:
    """Return the prefix of a message; None for one that no turn has created."""
    if message.turn_id is None:
        return None
    if hasattr(message, "turn_settings"):
        return None if message.turn_settings is None else request_prefix(message.turn_settings)
    return None if message.turn is None else request_prefix(message.turn.settings)


def request_prefix(settings: Mapping[str, object]) -> tuple[object, ...]:
    """Return the prefix of a request besides its messages: model, system and tools. Comparable."""
    return tuple(settings.get(key) for key in ("model", "system", "tools"))


def hypothetical_request(
    *, user: User, conversation_id: uuid.UUID, after: uuid.UUID | None, content: list[Block], settings: Settings
) -> Request:
    """Return the request that a turn with this question would send. Nothing is stored.

    Raises NotFound for an attachment that the user may not read.
    """

    blocks = with_sources(content, lambda source: attachment_owners.attachment_source(user, source))
    check_attachments(blocks)
    said = Message(role=Message.Role.USER, content=blocks)
    return request_for_path([*message_paths.path_to(conversation_id, after), said], settings)
