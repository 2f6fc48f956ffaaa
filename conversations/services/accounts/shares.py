"""Sharing conversations with users and groups."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from typing import NamedTuple

from django.contrib.auth.models import Group
from django.db import connection, transaction
from django.db.models import F, Q

from conversations.database import prepared
from conversations.errors import InvalidRequest, NotFound
from conversations.models import Conversation, Right, Share, Turn, User
from conversations.models.access import SHARED_WITH, KeyedQuerySet, open_condition
from conversations.services.notices import notify

OWNER = "owner"

ROLE_OF = f"""
SELECT max(role) FROM ({SHARED_WITH.format(user="%(user)s")}) AS shared WHERE conversation_id = %(conversation)s
"""  # noqa: S608 - ours; a writer comes after a reader in the alphabet too

OPEN = f"""
SELECT asked.place FROM unnest(%s::uuid[], %s::uuid[]) WITH ORDINALITY AS asked("user", conversation, place)
JOIN conversations_conversation AS conversation ON conversation.id = asked.conversation
WHERE {
    open_condition(conversation="conversation.id", owner="conversation.owner_id", user='asked."user"', right=Right.READ)
}
"""  # noqa: S608

NOT_SHARED_ANY_MORE = "This conversation is not shared with you any more, or it was deleted."


class Membership(NamedTuple):
    """A user's access to another user's conversation, as long as it exists and is shared with them."""

    user: uuid.UUID
    conversation: uuid.UUID


def membership(user: User, conversation_id: uuid.UUID, owner_id: uuid.UUID) -> Membership | None:
    """Return a user's membership in a conversation; None for its owner, whose access nobody else can end."""
    return None if owner_id == user.pk else Membership(user.pk, conversation_id)


def readable_turn(user: User, id: uuid.UUID | str) -> tuple[Turn, Membership | None]:
    """Return a turn that a user may read, and their membership. Raise NotFound."""
    with_owners = Turn.objects.annotate(owner_id=F("conversation__owner"))
    turn = with_owners.get_open(user, id, Right.READ)
    return turn, membership(user, turn.conversation_id, turn.owner_id)


def ended(memberships: Sequence[Membership]) -> set[Membership]:
    """Return those of the memberships whose users may not read the conversations any more, by one statement."""
    with connection.cursor() as cursor:
        cursor.execute(OPEN, [[each.user for each in memberships], [each.conversation for each in memberships]])
        still = {memberships[place - 1] for (place,) in cursor}
    return set(memberships) - still


def shares_of(*, user: User, conversation_id: uuid.UUID | str) -> KeyedQuerySet[Share]:
    """Return the shares of a user's own conversation. Raise NotFound."""
    conversation = Conversation.objects.get_open(user, conversation_id, Right.OWN)
    return Share.objects.filter(conversation=conversation).select_related("user", "group")


def share(
    *, user: User, conversation_id: uuid.UUID | str, with_user: str | None, with_group: str | None, role: str
) -> tuple[Share, bool]:
    """Share a user's own conversation with one user or group; return the share, and whether it is new.

    An existing share gets the new role. Raise NotFound for an unknown conversation, user or group, InvalidRequest for
    the owner.
    """
    with transaction.atomic(durable=True):
        locked = Conversation.objects.select_for_update(no_key=True)
        conversation = locked.get_open(user, conversation_id, Right.OWN)
        reached = {"user": _user(with_user)} if with_user is not None else {"group": _group(with_group or "")}
        if reached.get("user") == user:
            raise InvalidRequest("user: A conversation can't be shared with its owner.", details={"user": "the owner"})
        made, new = Share.objects.update_or_create(conversation=conversation, **reached, defaults={"role": role})
        made.refresh_from_db(fields=["created_at"])
        notify("shares", conversation.pk)
    return made, new


def withdraw(*, user: User, conversation_id: uuid.UUID | str, share_id: uuid.UUID | str) -> None:
    """End a share of a user's own conversation, and close what is open by it. Raise NotFound."""
    remove(shares_of(user=user, conversation_id=conversation_id).get_by_id(share_id))


def remove(share: Share) -> None:
    """End a share, and close what is open by it in any process."""
    with transaction.atomic():
        share.delete()
        notify("shares", share.conversation_id)


def _user(name: str) -> User:
    """Return the user with an id or a name. Raise NotFound."""
    named = Q(username=name)
    try:
        named = Q(pk=uuid.UUID(name))
    except ValueError:
        pass
    found = User.objects.filter(named, is_active=True).first()
    if found is None:
        raise _nobody("user", name)
    return found


def _group(name: str) -> Group:
    """Return the group with a name, or else with an id. Raise NotFound."""
    found = Group.objects.filter(name=name).first()
    if found is None and re.fullmatch("[0-9]{1,9}", name):
        found = Group.objects.filter(pk=int(name)).first()
    if found is None:
        raise _nobody("group", name)
    return found


def _nobody(kind: str, name: str) -> NotFound:
    complaint = f"There is no {kind} {name!r}."
    return NotFound(f"{kind}: {complaint}", details={kind: complaint})


def seen_by(user: User, conversation: Conversation) -> Conversation:
    """Return a conversation with its owner, and the role of a user who may read it."""
    if conversation.owner_id == user.pk:
        conversation.owner, conversation.role = user, OWNER
        return conversation
    found = prepared(ROLE_OF, {"user": user.pk, "conversation": conversation.pk})
    # The conversation may have been shared a moment ago: read it once more.
    conversation.role = found[0][0] or Share.Role.READER
    return conversation
