"""Creating and changing conversations."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from django.db import IntegrityError, transaction

from conversations.claude import parameters
from conversations.errors import InvalidRequest
from conversations.models import Conversation, Right, User
from conversations.services.turns.message_paths import no_such_message
from conversations.services.turns.turn_settings import NAMES, resolved_settings


def create(*, owner: User, fields: Mapping[str, object], key: str | None = None, digest: str = "") -> Conversation:
    """Create a conversation, or return the one that a request with the same key and digest has created.

    Raises InvalidRequest for settings that the model does not take, IdempotencyMismatch where the key was used for
    another request.
    """
    if known := _known_by_key(owner, key):
        return known.asked_for_by(digest)
    try:
        with transaction.atomic(durable=True):
            conversation = unsaved(owner=owner, fields=fields)
            conversation.idempotency_key, conversation.request_digest = key, digest
            conversation.save()
            return conversation
    except IntegrityError:
        if known := _known_by_key(owner, key):  # a request with the same key was faster
            return known.asked_for_by(digest)
        raise


def _known_by_key(owner: User, key: str | None) -> Conversation | None:
    return Conversation.objects.filter(owner=owner, idempotency_key=key).first() if key is not None else None


def unsaved(*, owner: User, fields: Mapping[str, object]) -> Conversation:
    """Return an unsaved conversation. Raise InvalidRequest as `create`."""
    conversation = Conversation(owner=owner)
    _change(conversation, fields)
    return conversation


def update(*, user: User, id: uuid.UUID | str, fields: Mapping[str, object]) -> Conversation:
    """Change the given fields. Raise NotFound, or InvalidRequest for fields that can't be changed."""
    with transaction.atomic(durable=True):
        found = Conversation.objects.get_open(user, id, Right.OWN)
        conversation = Conversation.objects.select_for_update(no_key=True).get(pk=found.pk)
        if fields.get("temporary", conversation.temporary) != conversation.temporary:
            raise InvalidRequest(
                "temporary: Is chosen when a conversation is created, and can't be changed.",
                details={"temporary": "can't be changed"},
            )
        _change(conversation, fields)
        conversation.save()
        conversation.refresh_from_db(fields=["updated_at"])
    return conversation


def _change(conversation: Conversation, fields: Mapping[str, object]) -> None:
    given = {name: value for name, value in fields.items() if name in NAMES}
    if given:
        held = {**conversation.settings, **given}
        conversation.settings = {name: value for name, value in held.items() if value is not None}
        parameters.check_parameters(resolved_settings(conversation.settings))
    for name in fields.keys() - given.keys():
        setattr(conversation, name, fields[name])


def activate(*, user: User, id: uuid.UUID | str, leaf: uuid.UUID) -> Conversation:
    """Make a message the active leaf, from which the next turn continues."""
    with transaction.atomic(durable=True):
        found = Conversation.objects.get_open(user, id, Right.WRITE)
        conversation = Conversation.objects.select_for_update(no_key=True).get(pk=found.pk)
        if not conversation.messages.filter(pk=leaf).exists():
            raise no_such_message("leaf", leaf)
        conversation.active_leaf_id = leaf
        conversation.save(update_fields=["active_leaf", "updated_at"])
        conversation.refresh_from_db(fields=["updated_at"])
    return conversation
