"""Beginning a turn: it is stored with its question by one statement, once for each key."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from conversations.content import sources
from conversations.contract.wire import Settings
from conversations.errors import Conflict, NotAuthenticated, NotFound
from conversations.fields import uuid7
from conversations.models import Conversation, Message, Turn, User
from conversations.services.accounts.credentials import NOT_ANY_MORE, Credential
from conversations.services.billing.user_limits import Used, refuse_beyond_limits, used_by
from conversations.services.files import attachments
from conversations.services.turns import begin_statements, budget_holds

MOST_TRIES = 5  # to begin a turn in a conversation that others change at the same moment


@dataclass(frozen=True)
class Asker:
    """The user who requests a turn, with the key; and the process that will run it."""

    user: User
    key: str | None = None
    """The idempotency key, which creates one turn for ever."""
    digest: str = ""
    """SHA-256 of the request: the same key with another digest is refused."""
    holder: uuid.UUID | None = None
    """The process that runs the turn from the moment that it is stored; without one it is queued for any."""
    credential: Credential | None = None
    """The user's credential, if it has to be checked in the same transaction."""
    turn_id: uuid.UUID = field(default_factory=uuid7)

    def ground_query(self, conversation: uuid.UUID) -> begin_statements.GroundQuery:
        """Return the query for the data that a turn in a conversation depends on."""
        return begin_statements.GroundQuery(self.user.pk, conversation, self.key, self.credential)


@dataclass(frozen=True)
class Begun:
    """The properties of a new turn."""

    question: Message
    settings: Settings
    is_new: bool = False
    """Whether the question is not stored yet."""
    continues: Message | None = None
    at_leaf: bool = False
    """Whether the turn continues from the active leaf, whichever that is."""


@dataclass(frozen=True)
class Created:
    """A requested turn: a new one, or the existing one with the same key."""

    turn: Turn
    is_new: bool
    used: Used
    """The user's usage of their limits."""


def begin_once(who: Asker, conversation_id: uuid.UUID | str, begin: Callable[[Conversation], Begun]) -> Created:
    """Store the turn that `begin` returns, unless the key has created one already.

    Raises NotFound where the user has no such conversation, Conflict while another turn of it is active,
    IdempotencyMismatch where the key was used for another request, NotAuthenticated where the credential is not valid
    any more, RateLimited, BudgetExceeded, and what `begin` raises.
    """
    id = Conversation.objects.key(conversation_id)
    for _ in range(MOST_TRIES):
        try:
            created = _stored(who, id, begin)
        except IntegrityError as error:
            if known := known_by_key(who):
                return known
            if "one_active_turn" not in str(error):
                raise
            raise _turn_active(id) from None
        if created is not None:
            return created
        # Its active leaf has changed, or it was deleted.
    raise Conflict("Other requests are changing this conversation: try again.")


def _stored(who: Asker, conversation_id: uuid.UUID, begin: Callable[[Conversation], Begun]) -> Created | None:
    """Store the turn that `begin` returns; None if the conversation's active leaf has changed."""
    with transaction.atomic(durable=True):
        ground = begin_statements.read_ground(who.ground_query(conversation_id))
        conversation = opened(ground)
        if ground.known:
            return _known_turn(ground.known, who)
        begun = begin(conversation)
        turn = new_turn(who, conversation, begun)
        result = begin_statements.begin(
            turn, new_message=begun.is_new, at_leaf=conversation.active_leaf_id, anywhere=not begun.at_leaf
        )
        if not result.begun:
            refuse_beyond_limits(result.used)
            return None
        if begun.is_new and sources.attachments_in(begun.question.content):
            attachments.link_to_messages([begun.question])
        turn.under_budget = ground.budgeted
        if ground.budgeted:
            budget_holds.hold_for_turn(turn)
        return Created(turn, is_new=True, used=result.used.with_another_turn())


def read_conversation(who: Asker, conversation_id: uuid.UUID) -> Conversation | Created:
    """Return the conversation of a requested turn, or the turn that the key has already created.

    Within the transaction that stores the turn. Raises as `begin_once`.
    """
    ground = begin_statements.read_ground(who.ground_query(conversation_id))
    conversation = opened(ground)
    return _known_turn(ground.known, who) if ground.known else conversation


def opened(ground: begin_statements.Ground) -> Conversation:
    """Return the conversation in the data that a new turn depends on. Raise NotAuthenticated, NotFound."""
    if not ground.let_in:
        raise NotAuthenticated(NOT_ANY_MORE)
    if ground.conversation is None:  # also where it is not shared any more with whoever has used the key in it
        raise NotFound("There is no conversation with this id, or you may not create turns in it.")
    return ground.conversation


def new_turn(who: Asker, conversation: Conversation, begun: Begun) -> Turn:
    """Return an unsaved turn for a request: running if `who` has a process that runs it."""
    turn = Turn(
        id=who.turn_id,
        conversation=conversation,
        user=who.user,
        user_message=begun.question,
        continues=begun.continues,
        settings=begun.settings,
        model=begun.settings["model"],
        idempotency_key=who.key,
        request_digest=who.digest,
    )
    if who.holder:
        # Its first event is in the transcript, and its first request, which is sent at once, is recorded.
        turn.status, turn.holder, turn.fence, turn.position, turn.requests_sent = Turn.RUNNING, who.holder, 1, 1, 1
    return turn


def _known_turn(id: uuid.UUID, who: Asker) -> Created:
    return _known(_made_before().get(pk=id), who)


def _known(turn: Turn, who: Asker) -> Created:
    """Return the turn that the key has created. Raise IdempotencyMismatch if the request differs."""
    return Created(turn.asked_for_by(who.digest), is_new=False, used=used_by(who.user))


def known_by_key(who: Asker) -> Created | None:
    """Return the turn that the key has created, if any. Raise IdempotencyMismatch if the request differs."""
    made = _made_before().filter(user=who.user, idempotency_key=who.key)
    known = made.first() if who.key is not None else None
    return _known(known, who) if known else None


def _made_before() -> QuerySet[Turn]:
    return Turn.objects.select_related("conversation")


def _turn_active(conversation_id: uuid.UUID) -> Conflict:
    active = Turn.objects.filter(conversation=conversation_id, status__in=Turn.ACTIVE).first()
    return Conflict(
        "Another turn is active in this conversation: wait until it has ended, or cancel it.",
        details={"turn": str(active.pk)} if active else None,
    )
