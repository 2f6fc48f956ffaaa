"""A conversation that is imported again gets its new messages, once, and keeps the owner's current branch."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations import clock
from conversations.errors import InvalidRequest
from conversations.models import Conversation, Message, User
from conversations.services import conversation_import, transfers
from conversations.services.conversation_import import Stored
from conversations.services.transfers import Export, Exported

Node = tuple[str, str | None]

LONG_AGO = datetime(2020, 2, 3, tzinfo=UTC)


@pytest.fixture(scope="module")
def owner(database: str) -> User:
    return User.objects.create_user(f"grower-{uuid.uuid4().hex[:8]}")


def exported(nodes: list[Node], leaf: str | None = None, origin: str | None = "chatgpt/1", **more: Any) -> Export:
    """Return an export of these nodes, each a name and its parent's; questions and answers alternate."""
    roles: dict[str | None, str] = {None: "assistant"}
    messages = []
    for id, parent in nodes:
        roles[id] = "user" if roles[parent] == "assistant" else "assistant"
        content: Any = [{"type": "text", "text": id}]
        messages.append(Exported(id=id, parent=parent, role=roles[id], content=content, stop_reason=None, **more))
    return Export(fields={"title": "Tea"}, messages=messages, active_leaf=leaf, origin=origin)


def taken(owner: User, *exports: Export) -> Stored:
    several = [conversation_import.check(owner=owner, export=each, at=clock.now()) for each in exports]
    with transaction.atomic():
        known = conversation_import.find_known(owner, several)
        return conversation_import.store_all(owner=owner, several=several, known=known)


def of_origin(owner: User, origin: str) -> Conversation:
    return Conversation.objects.get(owner=owner, origin=origin)


def tree(conversation: Conversation) -> dict[str, str | None]:
    """Return the text of each message with the text of its parent."""
    rows = {each.pk: each for each in Message.objects.filter(conversation=conversation)}
    assert len({each.text for each in rows.values()}) == len(rows)
    return {each.text: rows[each.parent_id].text if each.parent_id else None for each in rows.values()}


def leaf_of(conversation: Conversation) -> str | None:
    return conversation.active_leaf.text if conversation.active_leaf else None


@st.composite
def grown(draw: st.DrawFn) -> tuple[list[Node], int]:
    """Draw the nodes of a tree, parents first, and how many of them an earlier export had."""
    parents = [
        draw(st.none() | st.sampled_from(range(at)) if at else st.none()) for at in range(draw(st.integers(1, 6)))
    ]
    nodes: list[Node] = [(f"m{at}", None if parent is None else f"m{parent}") for at, parent in enumerate(parents)]
    return nodes, draw(st.integers(0, len(nodes)))


@settings(max_examples=12)
@given(grown())
def test_in_two_steps_it_is_what_it_is_in_one(owner: User, growth: tuple[list[Node], int]) -> None:
    nodes, first = growth
    origin = f"chatgpt/{uuid.uuid4()}"
    before = taken(owner, exported(nodes[:first], nodes[first - 1][0] if first else None, origin))
    after = taken(owner, exported(nodes, nodes[-1][0], origin))
    assert (before.conversations, before.messages, before.skipped) == (1, first, 0)
    new = len(nodes) - first
    assert (after.conversations, after.messages, after.skipped) == (int(new > 0), new, int(new == 0))
    found = of_origin(owner, origin)
    assert tree(found) == dict(nodes)
    assert leaf_of(found) == nodes[-1][0]
    again = taken(owner, exported(nodes, nodes[0][0], origin))
    assert (again.messages, again.skipped) == (0, 1)
    assert leaf_of(of_origin(owner, origin)) == nodes[-1][0], "what is here already stays as it is"


QUESTION, ANSWER = ("q", None), ("a", "q")


def test_the_same_twice_in_one_archive_is_one(owner: User) -> None:
    origin = f"chatgpt/{uuid.uuid4()}"
    stored = taken(owner, exported([QUESTION], "q", origin), exported([QUESTION, ANSWER], "a", origin))
    assert (stored.conversations, stored.messages, stored.skipped) == (2, 2, 0)
    assert tree(of_origin(owner, origin)) == {"q": None, "a": "q"}


def test_without_an_origin_each_is_another(owner: User) -> None:
    before = Conversation.objects.filter(owner=owner).count()
    stored = taken(owner, exported([QUESTION], "q", None), exported([QUESTION], "q", None))
    assert (stored.conversations, stored.skipped) == (2, 0)
    assert Conversation.objects.filter(owner=owner).count() == before + 2


def test_anothers_is_not_known(owner: User) -> None:
    origin = f"chatgpt/{uuid.uuid4()}"
    other = User.objects.create_user(f"other-{uuid.uuid4().hex[:8]}")
    taken(owner, exported([QUESTION], "q", origin))
    assert taken(other, exported([QUESTION], "q", origin)).messages == 1


def test_where_its_owner_went_on_here_it_stays(owner: User) -> None:
    origin = f"chatgpt/{uuid.uuid4()}"
    taken(owner, exported([QUESTION, ANSWER], "a", origin))
    found = of_origin(owner, origin)
    own = Message.objects.create(
        conversation=found, parent_id=found.active_leaf_id, role="user", content=[], text="here"
    )
    Conversation.objects.filter(pk=found.pk).update(active_leaf=own)
    taken(owner, exported([QUESTION, ANSWER, ("q2", "a")], "q2", origin))
    found.refresh_from_db()
    assert leaf_of(found) == "here"
    assert tree(found) == {"q": None, "a": "q", "here": "a", "q2": "a"}


def test_what_was_exported_here_is_known_by_its_ids(owner: User) -> None:
    """Importing one's own archive again changes nothing."""
    made = conversation_import.import_conversation(owner=owner, export=exported([QUESTION, ANSWER], "a", None))
    own = transfers.export(user=owner, id=made.pk)
    stored = taken(owner, Export(**{**vars(own), "origin": f"colloquy/{made.pk}"}))
    assert (stored.conversations, stored.messages, stored.skipped) == (0, 0, 1)


def test_times_are_those_of_the_export_and_else_of_the_import(owner: User) -> None:
    at = clock.now()
    old = conversation_import.check(owner=owner, export=exported([QUESTION], "q", created_at=LONG_AGO), at=at)
    assert (old.conversation.created_at, old.conversation.imported_at) == (at, at)
    origin = f"chatgpt/{uuid.uuid4()}"
    taken(owner, exported([QUESTION], "q", origin, created_at=LONG_AGO))
    [message] = Message.objects.filter(conversation=of_origin(owner, origin))
    assert message.created_at == LONG_AGO
    dated = Export(**{**vars(exported([QUESTION], "q")), "created_at": LONG_AGO})
    assert conversation_import.check(owner=owner, export=dated, at=at).conversation.created_at == LONG_AGO


NO_TREES: dict[str, tuple[list[Node], str | None, str]] = {
    "an id twice": ([QUESTION, QUESTION], None, "messages.1"),
    "a leaf that is not there": ([QUESTION], "b", "active_leaf"),
}


@pytest.mark.parametrize("name", NO_TREES)
def test_what_makes_no_tree_is_refused_with_its_place(owner: User, name: str) -> None:
    nodes, leaf, place = NO_TREES[name]
    with pytest.raises(InvalidRequest, match=f"^{place}"):
        conversation_import.check(owner=owner, export=exported(nodes, leaf), at=clock.now())


@pytest.mark.parametrize(
    ("role", "parent", "content"),
    [
        ("assistant", None, [{"type": "text", "text": "An answer to nothing."}]),
        ("user", None, [{"type": "tool_result", "tool_use_id": "t", "content": "x"}]),
        ("user", "later", [{"type": "text", "text": "Before its parent."}]),
    ],
)
def test_a_conversation_begins_with_a_question(owner: User, role: str, parent: str | None, content: Any) -> None:
    message = Exported(id="m", parent=parent, role=role, content=content, stop_reason=None)
    with pytest.raises(InvalidRequest, match=r"^messages\.0"):
        conversation_import.check(owner=owner, export=Export({}, [message]), at=clock.now())
