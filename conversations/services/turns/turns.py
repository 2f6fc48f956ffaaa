"""Operations of users on turns: create, continue, stop, submit tool results."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

from django.db import transaction
from django.db.models.functions import Now

from conversations.claude import catalogue, parameters
from conversations.content import history, sources
from conversations.content.folding import Folded, fold
from conversations.contract.wire import Block, Request, Settings
from conversations.errors import Conflict, InvalidRequest, NotFound
from conversations.models import Conversation, Message, Right, Turn, User
from conversations.services.files import attachments
from conversations.services.notices import notify
from conversations.services.turns import message_paths, transcripts, turn_end, turn_requests, turn_run
from conversations.services.turns.answer_storage import searchable_text
from conversations.services.turns.client_tools import open_calls
from conversations.services.turns.plain_turn_begin import PlainBeginning, is_short
from conversations.services.turns.question_checks import check_files, check_question
from conversations.services.turns.queued_turns import OnActive, begin_or_queue, cancel_pending
from conversations.services.turns.turn_begin import Asker, Begun, Created, begin_once
from conversations.services.turns.turn_settings import resolved_settings

NOT_AN_ANSWER = "Must be the id of an answer, or of a question that has one."
QUOTED = 300  # characters of a cut answer's end
GO_ON = """Your last answer was cut off. It ended with:

{end}

Go on exactly from there, without repeating any of it and without a word about the interruption."""


@dataclass(frozen=True)
class Asked:
    """A user's request for a turn: content to add after `parent`, or an answer to `regenerate`."""

    content: list[Block] | None = None
    parent: uuid.UUID | None = None
    at_leaf: bool = True
    """Whether to continue from the active leaf; otherwise from `parent`, where None creates a new root."""
    regenerate: uuid.UUID | None = None
    settings: Mapping[str, object] | None = None
    """This turn's own settings, on top of the conversation's."""
    on_active: OnActive = OnActive.REJECT


def create(*, who: Asker, conversation_id: uuid.UUID | str, asked: Asked) -> Created:
    """Store a turn; a retry with the same key returns the existing one.

    Raises NotFound, Conflict while another turn of the conversation is active, unless this one is to be queued behind
    it or to interrupt it, IdempotencyMismatch where the key was
    used with another body, InvalidRequest for settings that the model does not take, RateLimited and BudgetExceeded.
    """

    content = asked.content or []
    if sources.has_sources(content):
        # Files are stored before the transaction, which holds locks.
        shown_in = Conversation.objects.select_related("owner").get_open(who.user, conversation_id, Right.WRITE)
        asked = replace(asked, content=attachments.store_for_conversation(shown_in, who.user, content))
    return begin_or_queue(who, conversation_id, partial(_begun, asked), asked.on_active)


def plain_beginning(conversation_id: uuid.UUID | str, asked: Asked) -> PlainBeginning | None:
    """Return what `create` would store for a plain turn; None if it is not plain, or may not be."""
    content = asked.content or []
    is_of_words = {block["type"] for block in content} == {"text"}
    if asked.regenerate or not asked.at_leaf or not is_of_words or not is_short([content, asked.settings]):
        return None
    return PlainBeginning(Conversation.objects.key(conversation_id), partial(_begun, asked))


def _begun(asked: Asked, conversation: Conversation) -> Begun:
    settings = _checked(conversation.settings, asked.settings)
    if asked.regenerate:
        return Begun(_regenerated(conversation, asked.regenerate), settings)
    question = _said(conversation, asked, asked.content or [], settings)
    return Begun(question, settings, is_new=True, at_leaf=asked.at_leaf)


def hypothetical_request(*, user: User, conversation_id: uuid.UUID | str, asked: Asked) -> Request:
    """Return the request that `create` would send to Claude; nothing is stored. Raise as `create` does."""
    conversation = Conversation.objects.get_open(user, conversation_id, Right.WRITE)
    settings = _checked(conversation.settings, asked.settings)
    if asked.regenerate:
        path = message_paths.path_to(conversation.pk, _regenerated(conversation, asked.regenerate).pk)
        return turn_requests.request_for_path(path, settings)
    return turn_requests.hypothetical_request(
        user=user,
        conversation_id=conversation.pk,
        after=_parent(conversation, asked),
        content=asked.content or [],
        settings=settings,
    )


def continue_turn(*, who: Asker, turn_id: uuid.UUID | str, settings: Mapping[str, object]) -> Created:
    """Create a turn that continues an answer that was cut off, in the way that its model allows; as `create`.

    Up to Claude 4.5 the answer so far is sent as a prefill; later models refuse that, and are asked to continue by a
    message that quotes the end (claude-api.md 2.6, 4.3). If there is no answer yet, the question is answered anew.
    Raise Conflict while the turn runs, InvalidRequest if it was not cut off.
    """
    cut = Turn.objects.select_related("conversation").get_open(who.user, turn_id, Right.WRITE)

    def begin(conversation: Conversation) -> Begun:
        _refuse_whole(cut)
        held = _checked(cut.settings, settings)
        partial = cut.messages.last()
        if partial and _goes_on_by_itself(partial):
            return Begun(cut.question, held, continues=partial)
        said = history.cut_text(partial.content, partial.stop_reason) if partial else ""
        if partial is None or not said:
            before = partial.parent if partial else cut.continues
            again = before if before and before.pk != cut.user_message_id else None
            return Begun(cut.question, held, continues=again)
        if catalogue.takes_prefill(held):
            return Begun(cut.question, held, continues=partial)
        asked: list[Block] = [{"type": "text", "text": GO_ON.format(end=said[-QUOTED:])}]
        return Begun(_message(conversation, partial.pk, asked), held, is_new=True)

    return begin_once(who, cut.conversation_id, begin)


def _refuse_whole(turn: Turn) -> None:
    if not turn.ended:
        raise Conflict("This turn has not ended yet: it can only be continued then.", details={"turn": str(turn.pk)})
    if "continue" not in turn.actions:
        raise InvalidRequest(
            f"This turn can't be continued, since its answer was not cut: its status is {turn.status}, its stop_reason "
            f"{turn.stop_reason or 'none'}.",
            details={"status": turn.status, "stop_reason": turn.stop_reason},
        )


def _goes_on_by_itself(last: Message) -> bool:
    """Return whether Claude continues after a message without a question: it has tool results, or tool calls."""
    calls = any(block.get("type") == "tool_use" for block in last.content) and last.stop_reason == "tool_use"
    return last.role == Message.Role.USER or calls or history.is_paused(last.content, last.stop_reason)


def _checked(*layers: Mapping[str, object] | None) -> Settings:
    settings = resolved_settings(*(layer or {} for layer in layers))
    parameters.check_parameters(settings)
    return settings


def _said(conversation: Conversation, asked: Asked, content: list[Block], settings: Settings) -> Message:
    parent = _parent(conversation, asked)
    if sources.attachments_in(content):
        attachments.lock_attachments(owner=conversation.owner_id, blocks=content)
    message = _message(conversation, parent, content)
    check_question(conversation.pk, message, settings)
    return message


def _parent(conversation: Conversation, asked: Asked) -> uuid.UUID | None:
    return conversation.active_leaf_id if asked.at_leaf else _in_conversation(conversation, asked.parent)


def _message(conversation: Conversation, parent: uuid.UUID | None, blocks: list[Block]) -> Message:
    """Return an unsaved question."""
    return Message(
        conversation=conversation,
        parent_id=parent,
        role=Message.Role.USER,
        content=blocks,
        text=searchable_text(blocks),
    )


def _in_conversation(conversation: Conversation, id: uuid.UUID | None) -> uuid.UUID | None:
    if id is not None and not conversation.messages.filter(pk=id).exists():
        raise message_paths.no_such_message("parent", id)
    return id


def _regenerated(conversation: Conversation, id: uuid.UUID) -> Message:
    """Return the question of the answer with this id; a question's id stands for itself."""
    answer = conversation.messages.select_related("turn__user_message").filter(pk=id).first()
    if answer is None:
        raise message_paths.no_such_message("regenerate", id)
    if answer.turn:
        return answer.turn.question
    asked: Message | None = answer
    while asked and asked.role != Message.Role.USER:  # a copy of an answer that went on from another one
        asked = asked.parent
    if asked is None:
        raise InvalidRequest(f"regenerate: {NOT_AN_ANSWER}", details={"regenerate": NOT_AN_ANSWER})
    return asked


def cancel(*, user: User, turn_id: uuid.UUID | str) -> Turn:
    """Ask for a turn to be stopped, or stop it at once if nobody runs it. Repeated and late calls are harmless."""
    found = Turn.objects.get_open(user, turn_id, Right.WRITE)
    if pending := cancel_pending(found):
        return pending
    with transaction.atomic(durable=True):
        turn = _locked(found)
        if turn.status == Turn.RUNNING and turn.cancel_requested_at is None:
            Turn.objects.filter(pk=turn.pk).update(cancel_requested_at=Now())
            notify("cancel", turn.pk)
        elif turn.status in (Turn.QUEUED, Turn.Status.AWAITING_TOOLS):
            turn_end.end(turn, None, turn_end.Ending(Turn.Status.CANCELLED, upstream=turn_end.unbooked_requests(turn)))
    return turn


def _locked(found: Turn) -> Turn:
    """Return the present row of a turn, locked. Raise NotFound if it was deleted meanwhile."""
    turn = Turn.objects.select_for_update(no_key=True).filter(pk=found.pk).first()
    if turn is None:
        raise NotFound("There is no turn with this id, or it is not yours.")
    return turn


def submit_tool_results(*, user: User, turn_id: uuid.UUID | str, results: list[Block]) -> Turn:
    """Store results of client tools; when all results have arrived, queue the turn.

    They may be submitted in parts, and as soon as their calls are visible. Submitting the same again is harmless. Raise
    InvalidRequest for results without a call, Conflict for another result of the same call, or if the turn has ended.
    """
    found = Turn.objects.select_related("conversation__owner").get_open(user, turn_id, Right.WRITE)
    turn_requests.check_results_fit(results, found.settings)
    taken = attachments.store_for_conversation(found.conversation, user, results)
    with transaction.atomic(durable=True):
        turn = _locked(found)
        folded = fold(transcripts.committed(turn))
        calls = {call["id"] for call in open_calls(turn, folded)}
        new = _unknown_yet(turn, folded, taken, calls)
        attachments.lock_attachments(owner=found.conversation.owner_id, blocks=new)
        if new and turn.ended:
            raise Conflict(
                "This turn has ended: it does not accept tool results any more.", details={"status": turn.status}
            )
        if strange := [result["tool_use_id"] for result in new if result["tool_use_id"] not in calls]:
            raise InvalidRequest(
                f"results: This turn has no open tool call {', '.join(strange)}, only those in `details.awaited`.",
                details={"awaited": sorted(calls)},
            )
        turn.tool_results = [*turn.tool_results, *new]
        said = [Message(role=each.role, content=each.content) for each in folded]
        said.append(Message(role=Message.Role.USER, content=turn.tool_results))
        check_files(turn.conversation_id, turn.answers_after, said, turn.settings)
        if turn.status == Turn.Status.AWAITING_TOOLS:
            turn_run.resume_if_answered(turn, folded)
            notify("journal", turn.pk)
        turn.save()
    return turn


def _unknown_yet(turn: Turn, folded: list[Folded], results: list[Block], calls: set[str]) -> list[Block]:
    """Return the results that are not here yet, of the open calls with these ids or of none.

    What an earlier call with the same id came to is no result of an open one: some servers number the calls of each
    answer anew.
    """
    said = [block for message in folded if message.role == Message.Role.USER for block in message.content]
    taken = [block for block in said if block["tool_use_id"] not in calls]
    known = {each["tool_use_id"]: each for each in [*taken, *turn.tool_results]}
    for result in results:
        if known.get(result["tool_use_id"], result) != result:
            raise Conflict(
                "A call in `results` has another result already, which can't be changed.",
                details={"tool_use_id": result["tool_use_id"]},
            )
    return [result for result in results if result["tool_use_id"] not in known]
