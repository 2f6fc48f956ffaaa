"""Storing the results of a turn's transcript: its messages, and a ledger row for each upstream request."""

from __future__ import annotations

import uuid
from functools import partial
from itertools import zip_longest

from conversations.content.folding import Folded, plain_text
from conversations.contract.wire import Block
from conversations.models import Conversation, Message, Turn
from conversations.services.billing import ledger
from conversations.services.files import attachments
from conversations.services.turns import turn_requests


def store_answers(
    turn: Turn, folded: list[Folded], upstream: tuple[ledger.RequestRecord, ...], *, whole: bool = True
) -> None:
    """Store the messages, usage and stop reason of a transcript that are not stored yet.

    With `whole` false the turn continues later: tool results to which others will be added are stored then.
    """
    kept = folded if whole or not folded or folded[-1].role == Message.Role.ASSISTANT else folded[:-1]
    _keep_messages(turn, kept)
    book_answers(turn, folded, upstream)
    answers = _answers(folded)
    if answers:
        turn.stop_reason = answers[-1].stop_reason
        turn.stop_sequence = answers[-1].stop_sequence
        turn.stop_details = answers[-1].stop_details


def book_answers(turn: Turn, folded: list[Folded], upstream: tuple[ledger.RequestRecord, ...]) -> None:
    """Add a ledger row for each request that reached Claude and has none, answered or not."""
    for answer, known in zip_longest(_answers(folded)[turn.usage.count() :], upstream):
        before = folded[: folded.index(answer)] if answer else folded
        asked = partial(turn_requests.request_of_turn, turn, before, list)
        ledger.book(
            ledger.ledger_row(
                user=turn.user,
                answer=answer or ledger.unanswered_request(asked()),
                model=turn.model,
                upstream=known or ledger.RequestRecord(),
                turn=turn,
                asked=asked,
            )
        )


def message_of(turn: Turn, said: Folded, parent: uuid.UUID | None) -> Message:
    """Return an unsaved message of a turn, as the child of another one."""
    return Message(
        conversation_id=turn.conversation_id,
        parent_id=parent,
        turn=turn,
        role=said.role,
        content=said.content,
        text=searchable_text(said.content),
        stop_reason=said.stop_reason,
    )


def searchable_text(blocks: list[Block]) -> str:
    """Return the text of the blocks in storable form: Claude's text may have NUL, Postgres' can't."""
    return plain_text(blocks).replace("\0", "")


def _answers(folded: list[Folded]) -> list[Folded]:
    return [message for message in folded if message.role == Message.Role.ASSISTANT]


def _keep_messages(turn: Turn, folded: list[Folded]) -> None:
    """Store the messages of the transcript without rows, each as the child of the one before."""
    before = list(turn.messages.order_by("id"))
    begins_after = before[-1].pk if before else turn.answers_after
    parent = begins_after
    for each in folded[len(before) :]:
        message = message_of(turn, each, parent)
        message.save(force_insert=True)
        if each.role == Message.Role.USER:
            attachments.link_to_messages([message])
        parent = message.pk
    conversation = Conversation.objects.select_for_update(no_key=True).get(pk=turn.conversation_id)
    if parent != begins_after and conversation.active_leaf_id == begins_after:
        conversation.active_leaf_id = parent
        conversation.save(update_fields=["active_leaf", "updated_at"])
