"""Conversations: begun, changed, searched."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping

from django.contrib.postgres.search import SearchHeadline, SearchQuery
from django.db import transaction
from django.db.models import CharField, Exists, F, Func, OuterRef, Q, QuerySet, Subquery, TextField, Value
from django.db.models.functions import Coalesce, Replace
from django.db.models.lookups import Exact

from conversations.claude import parameters
from conversations.errors import InvalidRequest
from conversations.models import Conversation, Message, Right, User
from conversations.services.message_paths import no_such_message
from conversations.services.turn_settings import NAMES, resolved_settings

LOOSE_HYPHENS = re.compile(r"-+(?![^\s-])")
"""Hyphens that exclude no word. To Postgres each negates what comes next, and more than some 30 are an error."""


def create(*, owner: User, fields: Mapping[str, object]) -> Conversation:
    """Create a conversation. Raises InvalidRequest for settings that the model does not take."""
    with transaction.atomic(durable=True):
        return create_in_transaction(owner=owner, fields=fields)


def create_in_transaction(*, owner: User, fields: Mapping[str, object]) -> Conversation:
    """Create a conversation as `create` does, within the caller's transaction."""
    conversation = Conversation(owner=owner)
    _change(conversation, fields)
    conversation.save()
    return conversation


def update(*, user: User, id: uuid.UUID | str, fields: Mapping[str, object]) -> Conversation:
    """Change the fields that are given. Raises NotFound, or InvalidRequest for what can't be changed."""
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
    """Make a message the one that the next turn goes on from."""
    with transaction.atomic(durable=True):
        found = Conversation.objects.get_open(user, id, Right.WRITE)
        conversation = Conversation.objects.select_for_update(no_key=True).get(pk=found.pk)
        if not conversation.messages.filter(pk=leaf).exists():
            raise no_such_message("leaf", leaf)
        conversation.active_leaf_id = leaf
        conversation.save(update_fields=["active_leaf", "updated_at"])
        conversation.refresh_from_db(fields=["updated_at"])
    return conversation


def with_metadata(found: QuerySet[Conversation], wanted: Mapping[str, str]) -> QuerySet[Conversation]:
    """Return those whose metadata has these values, as text, at the keys of its top level."""
    for key, value in wanted.items():
        at_key = Func(
            F("metadata"), Value(key), arg_joiner=" ->> ", template="%(expressions)s", output_field=TextField()
        )
        found = found.filter(Exact(at_key, Value(value)))
    return found


def search(found: QuerySet[Conversation], words: str) -> QuerySet[Conversation]:
    """Return those whose title or messages have all the words, each with a `snippet` of HTML that shows where."""
    query = SearchQuery(LOOSE_HYPHENS.sub(" ", words), search_type="websearch", config="simple")
    messages = Message.objects.filter(conversation=OuterRef("pk"), searchable=query)
    in_message = messages.order_by("-id").annotate(headline=_headline("text", query))
    return found.filter(Q(searchable=query) | Exists(messages)).annotate(
        snippet=Coalesce(
            Subquery(in_message.values("headline")[:1]),
            _headline("title", query),
            output_field=CharField(),
        )
    )


def _headline(column: str, query: SearchQuery) -> SearchHeadline:
    """Return a piece of a column with the words of a query in `<mark>`.

    What the column holds is escaped before the marks are set, so that they are the only tags.
    """
    escaped: F | Replace = F(column)
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        escaped = Replace(escaped, Value(character), Value(entity))
    return SearchHeadline(
        escaped, query, config="simple", start_sel="<mark>", stop_sel="</mark>", max_words=20, min_words=8
    )
