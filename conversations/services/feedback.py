"""Users' feedback: one rating and comment of each user per message."""

from __future__ import annotations

import uuid

from django.db import transaction

from conversations.models import Feedback, Message, Right, User


def feedback_on(*, user: User, message_id: uuid.UUID | str) -> Feedback:
    """Return the user's feedback on a message, unsaved if there is none. Raise NotFound."""
    message = Message.objects.only("id").get_open(user, message_id, Right.READ)
    return Feedback.objects.filter(message=message, user=user).first() or Feedback(message=message, user=user)


def give_feedback(*, user: User, message_id: uuid.UUID | str, rating: int | None, comment: str) -> Feedback:
    """Replace the user's feedback on a message; without rating and comment, delete it. Raise NotFound."""
    with transaction.atomic(durable=True):
        message = Message.objects.only("id").get_open(user, message_id, Right.READ)
        if rating is None and not comment:
            Feedback.objects.filter(message=message, user=user).delete()
            return Feedback(message=message, user=user)
        given, _ = Feedback.objects.update_or_create(
            message=message, user=user, defaults={"rating": rating, "comment": comment}
        )
        given.refresh_from_db(fields=["updated_at"])
        return given
