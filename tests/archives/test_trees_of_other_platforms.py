"""Whatever tree the messages of another platform form, each with content is kept once, below its parent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.archives.message_tree import WITHOUT_A_QUESTION, Node, Tree, line_of, tree_of
from conversations.contract.wire import Block

SAYS: list[Block] = [{"type": "text", "text": "x"}]
ids = st.sampled_from("abcdef")
nodes = st.builds(
    Node,
    id=ids,
    parent=st.none() | ids | st.just("gone"),
    role=st.sampled_from(["user", "assistant"]),
    blocks=st.sampled_from([[], SAYS]),
)


def user(id: str, parent: str | None, says: bool = True) -> Node:
    return Node(id, parent, "user", SAYS if says else [])


def answer(id: str, parent: str | None, says: bool = True, **more: str) -> Node:
    return Node(id, parent, "assistant", SAYS if says else [], **more)


def edges(tree: Tree) -> dict[object, object]:
    return {each["id"]: each["parent"] for each in tree.messages}


@given(st.lists(nodes, unique_by=lambda node: node.id), st.none() | ids)
def test_any_messages_become_a_tree(given_nodes: list[Node], leaf: str | None) -> None:
    tree = tree_of(given_nodes, leaf)
    seen: set[object] = set()
    for each in tree.messages:
        assert each["parent"] is None or each["parent"] in seen, "parents come first"
        assert each["parent"] is not None or each["role"] == "user", "an answer is given to something"
        seen.add(each["id"])
    assert len(seen) == len(tree.messages)
    assert (tree.active_leaf in seen) if seen else tree.active_leaf is None
    assert {each for each in seen if ":" not in str(each)} <= {node.id for node in given_nodes if node.blocks}


@given(st.lists(st.booleans(), min_size=1, max_size=8))
def test_nothing_that_is_said_is_lost_where_the_parents_are_there(says: list[bool]) -> None:
    path = [user(str(at), str(at - 1) if at else None, said) for at, said in enumerate(says)]
    kept = [str(at) for at, said in enumerate(says) if said]
    found = tree_of(path, None)
    assert edges(found) == dict(zip(kept, [None, *kept], strict=False))
    assert found.active_leaf == (kept[-1] if kept else None)


def test_a_message_that_says_nothing_gives_its_children_to_its_parent() -> None:
    tree = tree_of([user("a", None), answer("b", "a", says=False), user("c", "b"), user("d", "b")], "b")
    assert edges(tree) == {"a": None, "c": "a", "d": "a"}
    assert tree.active_leaf == "a", "the leaf said nothing: it goes on from what is above it"


def test_an_answer_at_the_beginning_gets_a_question() -> None:
    tree = tree_of([answer("a" * 100, None, created_at="2026-01-01T00:00:00+00:00"), user("b", "a" * 100)], None)
    question, first, _ = tree.messages
    assert question["content"] == [{"type": "text", "text": WITHOUT_A_QUESTION}]
    assert question["created_at"] == first["created_at"] == "2026-01-01T00:00:00+00:00"
    assert (question["role"], question["id"], first["parent"]) == ("user", "a" * 80 + ":question", question["id"])


def test_siblings_keep_their_order_and_lost_parents_begin_a_branch() -> None:
    tree = tree_of([user("b", "gone"), user("a", "b"), user("c", "b"), user("d", None)], "c")
    assert list(edges(tree).items()) == [("b", None), ("a", "b"), ("c", "b"), ("d", None)]
    assert tree.active_leaf == "c"


@pytest.mark.parametrize("leaf", ["gone", None])
def test_without_a_leaf_that_is_there_it_goes_on_from_the_last(leaf: str | None) -> None:
    assert tree_of([user("a", None), answer("b", "a")], leaf).active_leaf == "b"


def test_messages_in_a_circle_are_kept_and_the_first_of_them_begins_it() -> None:
    assert edges(tree_of([user("a", "b"), user("b", "a"), user("c", None)], "a")) == {"c": None, "a": None, "b": "a"}


def test_only_answers_have_stop_reasons() -> None:
    stops = [
        each["stop_reason"]
        for each in tree_of(
            [user("a", None), answer("b", "a", stop_reason="max_tokens"), answer("c", "a")], None
        ).messages
    ]
    assert stops == [None, "max_tokens", "end_turn"]


def test_a_line_has_what_is_known_and_nothing_empty() -> None:
    tree = tree_of([user("a", None)], None)
    line = line_of("chatgpt", "7", " a\n\tb " + "x" * 600, tree, {"system": "", "tags": [], "archived": True}, "form/1")
    assert line["conversation"] == {"title": ("a b " + "x" * 600)[:500], "origin": "chatgpt/7", "archived": True}
    assert (line["format"], line["id"], line["active_leaf"], line["messages"]) == ("form/1", "7", "a", tree.messages)
