"""Generating titles: work is queued when the first turn ends, and its request is booked as usage."""

from __future__ import annotations

import uuid
from functools import partial

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from conversations.claude import catalogue
from conversations.content.folding import Folded, plain_text
from conversations.contract.wire import Request
from conversations.models import Conversation, Message, Titling, Turn, Usage
from conversations.services.best_effort import if_possible, whole_or_least
from conversations.services.billing import budgets, ledger
from conversations.services.notices import notify
from conversations.services.turns import budget_holds

READ = 2000  # characters of the question and of the answer that the title is made from
LONGEST = 80  # characters
MAX_TOKENS = 40
MAX_TOKENS_THINKING = 1024  # where the model can't be kept from thinking
PROMPT = """A conversation begins with this question:

<question>
{question}
</question>

and this answer:

<answer>
{answer}
</answer>

Give it a title of at most six words, in the language of the question. Write the title and nothing else."""


def wanted(turn: Turn) -> Titling | None:
    """Return the work on the title of a turn's conversation; None if it has one, or titles are not enabled.

    It is stored with the turn's end, unless the conversation had such work before, so that this is not its first
    complete turn.
    """
    model = settings.COLLOQUY_TITLE_MODEL
    if not model or turn.status != Turn.Status.COMPLETED or turn.conversation.title:
        return None
    return Titling(conversation=turn.conversation, turn=turn, model=model)


def queue(turn: Turn) -> None:
    """Queue the work on a title, if it is wanted. In the caller's transaction."""
    titling = wanted(turn)
    if titling and not Titling.objects.filter(conversation=turn.conversation).exists():
        titling.save(force_insert=True)
        notify("queued-title", titling.pk)


def claim(*, id: uuid.UUID, holder: uuid.UUID) -> Titling | None:
    """Claim queued work on a title for a process; return None if another one was faster."""
    with transaction.atomic(durable=True):
        return Titling.objects.select_related("turn__user").get(pk=id) if Titling.claim(id, holder) else None


def begin_request(*, titling: Titling) -> Request | None:
    """Record the request for the title as sent, and return it; None if the work is not ours any more.

    Raises BudgetExceeded.
    """
    with transaction.atomic(durable=True):
        ours = Titling.objects.filter(pk=titling.pk, fence=titling.fence, status=Titling.RUNNING)
        if not ours.update(sent=True):
            return None
        request = _request(titling)
        budget_holds.hold_for_other_work(user=titling.turn.user, work=titling.pk, number=1, request=request)
        return request


def _request(titling: Titling) -> Request:
    turn = titling.turn
    answer = turn.messages.filter(role=Message.Role.ASSISTANT).last()
    said = PROMPT.format(question=turn.question.text[:READ], answer=answer.text[:READ] if answer else "")
    request: Request = {
        "model": titling.model,
        "max_tokens": MAX_TOKENS,
        "messages": [{"role": "user", "content": [{"type": "text", "text": said}]}],
    }
    model = catalogue.find(titling.model)
    if model and model.thinking_default == "off":
        return request
    if model and "disabled" in model.thinking_types:
        return {**request, "thinking": {"type": "disabled"}}
    return {**request, "max_tokens": MAX_TOKENS_THINKING}


def finish(*, id: uuid.UUID, fence: int, answer: Folded | None, upstream: ledger.RequestRecord | None) -> None:
    """Store the title, unless the conversation has one, and book the request if it reached Claude."""
    with transaction.atomic(durable=True):
        ours = Titling.objects.select_for_update(no_key=True, of=("self",)).select_related("turn__user", "conversation")
        titling = ours.filter(pk=id, fence=fence, status=Titling.RUNNING).first()
        if titling is not None:
            _end(titling, answer, upstream)


def settle(*, id: uuid.UUID, by: uuid.UUID) -> None:
    """Give up the work of a dead process. A request that was sent is booked as an estimate."""
    with transaction.atomic(durable=True):
        left = Titling.abandoned(by).select_for_update(no_key=True, skip_locked=True)
        titling = left.filter(pk=id).first()
        if titling is not None:
            _end(titling, None, ledger.RequestRecord() if titling.sent else None)


def stop(titling: Titling) -> None:
    """Give up work that a process may be running, and notify it. A request that was sent is booked as an estimate.

    The caller's transaction has locked the row, which has not ended.
    """
    _end(titling, None, ledger.RequestRecord() if titling.sent else None)
    notify("cancel", titling.pk)


def _end(titling: Titling, answer: Folded | None, upstream: ledger.RequestRecord | None) -> None:
    whole_or_least(
        f"Title {titling.pk}",
        lambda: _end_whole(titling, answer, upstream),
        lambda: _end_least(titling, upstream),
    )


def _end_whole(titling: Titling, answer: Folded | None, upstream: ledger.RequestRecord | None) -> None:
    title = _title(answer) if answer else ""
    if title:  # before the budgets, as a turn that begins in the conversation locks them
        Conversation.objects.filter(pk=titling.conversation_id, title="").update(title=title)
    _settle(titling, answer, upstream)
    titling.status = Titling.Status.COMPLETED if title else Titling.Status.FAILED
    titling.finished_at = Now()
    titling.save()


def _end_least(titling: Titling, upstream: ledger.RequestRecord | None) -> None:
    """End the work on a title whose answer, or whose conversation, is unusable."""
    if_possible(f"The usage of title {titling.pk}", lambda: _book_least(titling, upstream))
    if_possible(f"What is held for title {titling.pk}", lambda: budgets.release(titling.pk))
    Titling.objects.filter(pk=titling.pk).update(status=Titling.Status.FAILED, finished_at=Now())


def _book_least(titling: Titling, upstream: ledger.RequestRecord | None) -> None:
    if upstream is not None:
        _book(titling, ledger.unanswered_request({"messages": PROMPT}), upstream)


def _settle(titling: Titling, answer: Folded | None, upstream: ledger.RequestRecord | None) -> None:
    if upstream is not None:
        _book(titling, answer or ledger.unanswered_request(_request(titling)), upstream)
    budgets.release(titling.pk)


def _book(titling: Titling, answer: Folded, upstream: ledger.RequestRecord) -> None:
    ledger.book(
        ledger.ledger_row(
            user=titling.turn.user,
            answer=answer,
            model=titling.model,
            upstream=upstream,
            conversation=titling.conversation,
            purpose=Usage.Purpose.TITLE,
            asked=partial(_request, titling),
        )
    )


def _title(answer: Folded) -> str:
    """Return the first line of an answer without quotes and full stop; empty if the answer was cut or refused."""
    lines = [line for line in plain_text(answer.content).replace("\0", "").splitlines() if line.strip()]
    if not lines or not answer.stopped or answer.stop_reason == "refusal":
        return ""
    return lines[0].strip(" \t\"'“”„«»*#").removesuffix(".")[:LONGEST]
