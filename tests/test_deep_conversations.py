"""A page of messages costs the same however deep the conversation is."""

from __future__ import annotations

import json
import math
import uuid
from typing import Any

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.errors import NotFound
from conversations.fields import uuid7
from conversations.models import Conversation, Message, User
from conversations.services.turns import message_paths

DEEP = 5000


def conversation() -> Conversation:
    return Conversation.objects.create(owner=User.objects.create(username=f"deep-{uuid.uuid4().hex[:12]}"))


def grown(parents: list[int | None]) -> tuple[Conversation, list[Message]]:
    """Create a conversation with a message for each parent, which is the index of an earlier one or None."""
    tree = conversation()
    messages: list[Message] = []
    for parent in parents:
        above = None if parent is None else messages[parent].pk
        messages.append(Message(id=uuid7(), conversation=tree, parent_id=above, role="user", content=[]))
    Message.objects.bulk_create(messages)
    return tree, messages


@st.composite
def trees(draw: st.DrawFn) -> list[int | None]:
    """Draw trees, mostly deep ones, with some branches and some further roots."""
    parents: list[int | None] = [None]
    for at in range(1, draw(st.integers(1, 40))):
        parents.append(draw(st.none() | st.integers(0, at - 1)) if draw(st.booleans()) else at - 1)
    return parents


@settings(max_examples=60, deadline=None)
@given(trees(), st.data())
def test_a_page_is_the_slice_of_the_path(database: str, parents: list[int | None], data: st.DataObject) -> None:
    tree, messages = grown(parents)
    leaf = data.draw(st.integers(0, len(messages) - 1))
    path: list[uuid.UUID] = []
    at: int | None = leaf
    while at is not None:
        path.insert(0, messages[at].pk)
        at = parents[at]
    assert [each.pk for each in message_paths.path_to(tree.pk, messages[leaf].pk)] == path
    size = data.draw(st.integers(1, 12))
    end = message_paths.page_of_path(tree.pk, messages[leaf].pk, -size, size)
    assert [each.id for each in end.messages] == path[-size:]
    assert end.skipped == max(0, len(path) - size)
    for skip in range(len(path) + 2):
        size = data.draw(st.integers(1, 12))
        page = message_paths.page_of_path(tree.pk, messages[leaf].pk, skip, size)
        assert [each.id for each in page.messages] == path[skip : skip + size]


def rows_read(plan: dict[str, Any]) -> float:
    """Return how many rows the nodes of a query plan have read."""
    own = (plan.get("Actual Rows", 0) + plan.get("Rows Removed by Filter", 0)) * plan.get("Actual Loops", 1)
    return float(own + sum(rows_read(each) for each in plan.get("Plans", ())))


def test_it_reads_no_more_than_the_page_and_a_logarithm(database: str) -> None:
    tree, messages = grown([None, *range(DEEP - 1)])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        for skip in (0, DEEP // 2, DEEP - 10):
            values: dict[str, Any] = {"conversation": tree.pk, "leaf": messages[-1].pk, "skip": skip, "size": 10}
            values["reader"] = None
            cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {message_paths.PAGE}", values)
            found = cursor.fetchone()[0]
            plan = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
            assert rows_read(plan) < 20 * (10 + 3 * math.log2(DEEP))


def test_another_conversations_leaf_has_no_page(database: str) -> None:
    _, messages = grown([None])
    with pytest.raises(NotFound):
        message_paths.page_of_path(conversation().pk, messages[0].pk, 0, 10)
