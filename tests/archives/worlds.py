"""Generated data of a user: conversations of any shape, with blocks of every kind, in any language."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from hypothesis import strategies as st

from conversations.fields import uuid7
from conversations.models import Attachment, Conversation, Feedback, Message, User
from conversations.services.files import attachments

CHARACTERS = st.characters(codec="utf-8", exclude_characters="\0")
TEXT = st.text(CHARACTERS, min_size=1, max_size=20)
SAID = TEXT.filter(lambda text: text.strip())
TRIMMED = SAID.map(str.strip).filter(bool)
NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False, width=32)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=4,
)
OBJECTS = st.dictionaries(TEXT, VALUES, max_size=3)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2026, 11, 1), timezones=st.just(UTC))
FILES = ("a note", "tea\n" * 9)
FILE = st.sampled_from(FILES).map(lambda text: {"type": "attachment", "attachment": text})


def block(kind: str, **fields: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"type": st.just(kind), **fields})


PLAIN = block("text", text=SAID)
INLINE = st.fixed_dictionaries({"type": st.just("text"), "media_type": st.just("text/plain"), "data": SAID})
PARTS = st.fixed_dictionaries({"type": st.just("content"), "content": st.lists(PLAIN, min_size=1, max_size=2)})
REMOTE = st.just({"type": "url", "url": "https://example.com/cup.png"})
QUESTIONS = st.one_of(
    PLAIN,
    block("image", source=REMOTE),
    block("document", source=FILE | INLINE | PARTS, title=TEXT, citations=st.just({"enabled": True})),
    block("search_result", source=SAID, title=SAID, content=st.lists(PLAIN, min_size=1, max_size=2)),
)
RESULT = block("tool_result", tool_use_id=st.just("toolu_1"), content=SAID | st.lists(PLAIN, min_size=1, max_size=2))
ANSWERS = st.one_of(
    PLAIN,
    block("text", text=st.text(st.characters(codec="utf-8"), max_size=9), citations=st.just([{"type": "x"}])),
    block("thinking", thinking=TEXT, signature=st.just("c2ln")),
    block("redacted_thinking", data=st.just("ZGF0YQ==")),
    block("server_tool_use", id=st.just("srvtoolu_1"), name=st.just("web_search"), input=OBJECTS),
    block("web_search_tool_result", tool_use_id=st.just("srvtoolu_1"), content=st.just([])),
    block("hologram", light=VALUES),
)
CALL = block("tool_use", id=st.just("toolu_1"), name=st.just("look"), input=OBJECTS)
STOPS = st.sampled_from(["end_turn", "max_tokens", "tool_use", "refusal", None])


@st.composite
def talks(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a conversation whose messages refer to their parents by index."""
    messages: list[dict[str, Any]] = []
    for number in range(draw(st.integers(0, 7))):
        parent = draw(st.none() | st.integers(0, number - 1)) if number else None
        asks = parent is None or draw(st.booleans())
        content = draw(st.lists(QUESTIONS if asks else ANSWERS, min_size=1, max_size=3))
        if parent is not None and draw(st.booleans()):
            content = [draw(RESULT), *content] if asks else [*content, draw(CALL)]
        feedback = draw(st.none() | st.tuples(st.sampled_from([1, -1, None]), TRIMMED))
        stop = None if asks else draw(STOPS)
        messages.append(
            {
                "parent": parent,
                "asks": asks,
                "content": content,
                "stop": stop,
                "feedback": feedback,
                "at": draw(MOMENTS),
            }
        )
    leaf = draw(st.none() | st.integers(0, len(messages) - 1)) if messages else None
    settings = draw(
        st.sampled_from(
            [{}, {"system": "Be brief.", "max_tokens": 9}, {"model": "claude-haiku-4-5", "temperature": 0.5}]
        )
    )
    return {
        "title": draw(TRIMMED),
        "metadata": draw(OBJECTS),
        "tags": draw(st.lists(TRIMMED, max_size=3, unique=True)),
        "settings": settings,
        "archived": draw(st.booleans()),
        "temporary": draw(st.booleans()),
        "created_at": draw(MOMENTS),
        "updated_at": draw(MOMENTS),
        "leaf": leaf,
        "messages": messages,
    }


WORLDS = st.lists(talks(), max_size=3)


def give(owner: User, world: list[dict[str, Any]]) -> None:
    """Store generated conversations as a user's."""
    files = {text: attachments.store(owner=owner, data=text.encode()) for text in FILES}
    for talk in world:
        fields = {name: talk[name] for name in ("title", "metadata", "tags", "settings", "archived", "temporary")}
        conversation = Conversation.objects.create(owner=owner, **fields)
        rows: list[Message] = []
        for each in talk["messages"]:
            rows.append(_message(conversation, each, rows, files))
            rows[-1].save(force_insert=True)
            Message.objects.filter(pk=rows[-1].pk).update(created_at=each["at"])
            if each["feedback"]:
                rating, comment = each["feedback"]
                Feedback.objects.create(message=rows[-1], user=owner, rating=rating, comment=comment)
        with transaction.atomic():
            attachments.link_to_messages(rows)
        leaf = rows[talk["leaf"]].pk if talk["leaf"] is not None else None
        times = {"created_at": talk["created_at"], "updated_at": talk["updated_at"]}
        Conversation.objects.filter(pk=conversation.pk).update(active_leaf=leaf, **times)


def _message(
    conversation: Conversation, said: dict[str, Any], before: list[Message], files: dict[str, Attachment]
) -> Message:
    return Message(
        id=uuid7(),
        conversation=conversation,
        parent=None if said["parent"] is None else before[said["parent"]],
        role="user" if said["asks"] else "assistant",
        content=_with_ids(said["content"], files),
        stop_reason=said["stop"],
    )


def _with_ids(blocks: list[Any], files: dict[str, Attachment]) -> list[Any]:
    ids = {text: str(each.pk) for text, each in files.items()}

    def put_in(source: Any) -> Any:
        if not isinstance(source, dict) or source["type"] != "attachment":
            return source
        return {**source, "attachment": ids[source["attachment"]], "media_type": "text/plain"}

    return [{**each, "source": put_in(each["source"])} if "source" in each else each for each in blocks]


def without_ids(lines: list[Any], attachments: list[Any]) -> list[Any]:
    """Return the conversations of an archive with numbers in place of the ids that differ between copies.

    That is the ids of conversations, messages and attachments, and `origin`, which says what they were copied from.
    """
    ids = {each["id"]: each["sha256"] for each in attachments}
    for line in lines:
        line["id"] = line["conversation"]["origin"] = None
        for number, message in enumerate(line["messages"]):
            ids[message["id"]] = str(number)
            message["origin"] = None
    text = json.dumps(lines)
    for id, instead in ids.items():
        text = text.replace(id, instead)
    found: list[Any] = json.loads(text)
    return found
