"""Converting messages of other platforms to a valid tree of messages. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from conversations.contract.wire import Block

WITHOUT_A_QUESTION = "[The conversation begins with this answer.]"


@dataclass(frozen=True)
class Node:
    """A message of another platform, in our blocks; without blocks it is left out, and its children move up."""

    id: str
    parent: str | None
    role: str
    blocks: Sequence[Block] = ()
    created_at: str | None = None
    stop_reason: str | None = None


@dataclass(frozen=True)
class Tree:
    """The messages of an archive's line, parents first, and the active leaf."""

    messages: list[dict[str, object]]
    active_leaf: str | None


def distinct_ids(ids: Iterable[str]) -> list[str]:
    """Return the ids of messages in order; repeated ones get a number: `m1`, `m1#2`, `m1#3`."""
    seen: Counter[str] = Counter()
    distinct = []
    for id in ids:
        seen[id] += 1
        distinct.append(id if seen[id] == 1 else f"{id}#{seen[id]}")
    return distinct


def tree_of(nodes: Sequence[Node], leaf: str | None) -> Tree:
    """Return the messages of a conversation, whose ids must be distinct.

    Nodes without a known parent become roots. So does the first node of a cycle.
    """
    known = {node.id: node for node in nodes}
    children: defaultdict[str | None, list[Node]] = defaultdict(list)
    for node in known.values():
        children[node.parent if node.parent in known else None].append(node)
    kept: dict[str, str | None] = {}
    """The message of each node: its own, or that of the nearest kept ancestor."""
    messages: list[dict[str, object]] = []
    for root in [*children[None], *nodes]:
        pending: list[tuple[Node, str | None]] = [(root, None)]
        while pending:
            node, parent = pending.pop()
            if node.id in kept:
                continue
            if node.blocks:
                if parent is None and node.role != "user":
                    parent = _add_question(messages, node)
                messages.append(_message(node, parent))
                parent = node.id
            kept[node.id] = parent
            pending += [(child, parent) for child in reversed(children[node.id])]
    last = str(messages[-1]["id"]) if messages else None
    return Tree(messages, (kept.get(leaf) if leaf else None) or last)


def _message(node: Node, parent: str | None) -> dict[str, object]:
    answer = node.role == "assistant"
    return {
        "id": node.id,
        "parent": parent,
        "role": node.role,
        "content": list(node.blocks),
        "stop_reason": (node.stop_reason or "end_turn") if answer else None,
        "created_at": node.created_at,
    }


def _add_question(messages: list[dict[str, object]], answer: Node) -> str:
    """Add a question before an answer at the root; return its id."""
    id = f"{answer.id[:80]}:question"
    block: Block = {"type": "text", "text": WITHOUT_A_QUESTION}
    messages.append(_message(Node(id, None, "user", [block], answer.created_at), None))
    return id


def line_of(source: str, id: str, title: str, tree: Tree, fields: Mapping[str, object], form: str) -> dict[str, object]:
    """Return a conversation of another platform as a line of our archives, whose messages have the form `form`."""
    own = {"title": " ".join(title.split())[:500], "origin": f"{source}/{id}"}
    return {
        "format": form,
        "id": id,
        "conversation": {**own, **{name: value for name, value in fields.items() if value}},
        "active_leaf": tree.active_leaf,
        "messages": tree.messages,
    }
