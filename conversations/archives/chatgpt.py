"""Converting conversations of ChatGPT's exports to lines of our archives.

Code with its output, and canvas documents, become text of the answers. The blocks of other tools are shown and never
sent to Claude, and so is reasoning (content/foreign_answers.py). Generated images are added as the user's, since an
answer of Claude can't contain images.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from conversations.archives.chatgpt_canvas import canvas_text
from conversations.archives.claude_ai import block_id
from conversations.archives.code_fences import fenced
from conversations.archives.foreign_files import ForeignFiles
from conversations.archives.loose_json import Object, object_in, objects_in, text_in, time_in
from conversations.archives.message_tree import Node, line_of, tree_of
from conversations.contract.wire import Block

SOURCE = "chatgpt"
CONTEXT = "user_editable_context"
MARKERS = re.compile("\ue200[^\ue201]*\ue201|[\ue200-\ue206]")
"""Private-use characters in answers that mark citations."""
MADE = "[An image that the assistant made]"
VOICE = ("audio_asset_pointer", "real_time_user_audio_video_asset_pointer")
AS_TEXT = ("all", "", "python", "canmore")
"""The recipients, or prefixes of their names, for which an assistant's message is text of its answer."""


def convert(conversation: Object, form: str, files: ForeignFiles) -> dict[str, object]:
    """Return a conversation as a line. Omissions are noted in `files`."""
    mapping = object_in(conversation, "mapping")
    nodes = [_node(id, object_in(mapping, id), files) for id in mapping]
    fields = {
        "metadata": {"source": SOURCE, **_metadata(conversation, mapping)},
        "tags": ["starred"] if conversation.get("is_starred") is True else [],
        "system": _instructions(mapping),
        "archived": conversation.get("is_archived") is True,
        "created_at": time_in(conversation, "create_time"),
        "updated_at": time_in(conversation, "update_time"),
    }
    id = text_in(conversation, "conversation_id") or text_in(conversation, "id")
    tree = tree_of(nodes, text_in(conversation, "current_node"))
    return line_of(SOURCE, id, text_in(conversation, "title"), tree, fields, form)


def _metadata(conversation: Object, mapping: Object) -> dict[str, str]:
    slugs = [
        text_in(object_in(object_in(object_in(mapping, id), "message"), "metadata"), "model_slug") for id in mapping
    ]
    model = text_in(conversation, "default_model_slug") or next(filter(None, slugs), "")
    found = {"model": model, "gizmo": text_in(conversation, "gizmo_id")}
    return {name: text for name, text in found.items() if text}


def _instructions(mapping: Object) -> str:
    """Return the user's custom instructions, which precede the conversation."""
    for id in mapping:
        content = object_in(object_in(object_in(mapping, id), "message"), "content")
        if text_in(content, "content_type") == CONTEXT:
            told = (text_in(content, name).strip() for name in ("user_profile", "user_instructions"))
            return "\n\n".join(filter(None, told))
    return ""


def _node(id: str, node: Object, files: ForeignFiles) -> Node:
    message = object_in(node, "message")
    parent, at = text_in(node, "parent") or None, time_in(message, "create_time")
    hidden = object_in(message, "metadata").get("is_visually_hidden_from_conversation") is True
    author = object_in(message, "author")
    content = object_in(message, "content")
    if hidden or text_in(content, "content_type") == CONTEXT:
        return Node(id, parent, "user")
    match text_in(author, "role"):
        case "user":
            return Node(id, parent, "user", list(_asked(message, content, files)), at)
        case "assistant":
            return Node(id, parent, "assistant", list(_answered(id, message, content, files)), at)
        case "tool":
            return _done(id, parent, message, content, files)
        case role if message and role != "system":
            files.notes.append(f"A message of the role {role[:50]!r} is left out.")
    return Node(id, parent, "user")


def _asked(message: Object, content: Object, files: ForeignFiles) -> Iterator[Block]:
    shown = set()
    for part in _parts(content):
        if pointer := _pointer(part):
            shown.add(pointer)
            yield files.block([pointer], _named(message, pointer))
        else:
            yield from _text(_said(part))
    for each in objects_in(object_in(message, "metadata"), "attachments"):
        id, name = text_in(each, "id"), text_in(each, "name")
        if id not in shown:
            yield files.block([id, name], name)


def _answered(id: str, message: Object, content: Object, files: ForeignFiles) -> Iterator[Block]:
    kind, recipient = text_in(content, "content_type"), text_in(message, "recipient")
    if kind == "thoughts":
        told = (
            f"{text_in(each, 'summary')}\n{text_in(each, 'content')}".strip()
            for each in objects_in(content, "thoughts")
        )
        thought = "\n\n".join(filter(None, told))
        if thought:
            yield {"type": "thinking", "thinking": thought}
        return
    if kind == "reasoning_recap":
        return
    code = kind == "code" or recipient not in ("all", "")
    said = (
        "\n\n".join(filter(None, map(_said, _parts(content)))) or text_in(content, "text") or text_in(content, "result")
    )
    if not any(recipient == name or (name and recipient.startswith(f"{name}.")) for name in AS_TEXT):
        name = block_id(recipient)
        yield {"type": "server_tool_use", "id": block_id(id), "name": name, "input": {"text": said}}
        return
    shown = fenced(said, _language(content, recipient)) if code and said.strip() else said
    yield from _text(canvas_text(recipient, said) or shown)
    for part in _parts(content):
        if pointer := _pointer(part):
            files.notes.append(f"An image in an answer ({pointer}) is left out.")
    yield from _sources(message)


def _done(id: str, parent: str | None, message: Object, content: Object, files: ForeignFiles) -> Node:
    """Return a tool's results: images, the output of code, or a block that is only shown."""
    kind, at = text_in(content, "content_type"), time_in(message, "create_time")
    pointers = [pointer for part in _parts(content) if (pointer := _pointer(part))]
    if pointers:
        made: Block = {"type": "text", "text": MADE}
        return Node(id, parent, "user", [made, *(files.block([each], _named(message, each)) for each in pointers)], at)
    said = (
        "\n\n".join(filter(None, map(_said, _parts(content)))) or text_in(content, "text") or text_in(content, "result")
    )
    if not said.strip():
        return Node(id, parent, "assistant")
    if kind == "execution_output":
        return Node(id, parent, "assistant", [{"type": "text", "text": f"Output:\n\n{fenced(said)}"}], at)
    told: list[Block] = [{"type": "text", "text": said}]
    result: Block = {"type": "imported_tool_result", "tool_use_id": block_id(parent or id), "content": told}
    return Node(id, parent, "assistant", [result], at)


def _sources(message: Object) -> Iterator[Block]:
    metadata = object_in(message, "metadata")
    cited = [text_in(object_in(each, "metadata"), "url") for each in objects_in(metadata, "citations")]
    referred = [text_in(each, "url") for each in objects_in(metadata, "content_references")]
    urls = sorted({url for url in (*cited, *referred) if url.startswith(("https://", "http://"))})
    if urls:
        yield {"type": "text", "text": "Sources:\n" + "\n".join(f"- {url}" for url in urls)}


def _parts(content: Object) -> list[object]:
    parts = content.get("parts")
    return parts if isinstance(parts, list) else []


def _said(part: object) -> str:
    """Return the text of a message's part; for speech, its transcription."""
    if isinstance(part, str):
        return MARKERS.sub("", part.replace("\0", ""))
    kind = text_in(part, "content_type")
    if kind in VOICE or _pointer(part):
        return ""
    return text_in(part, "text")


def _pointer(part: object) -> str:
    """Return the id of the image to which a message's part refers; an empty text if it is none."""
    is_image = text_in(part, "content_type") == "image_asset_pointer"
    return text_in(part, "asset_pointer").rpartition("://")[2] if is_image else ""


def _named(message: Object, id: str) -> str:
    known = objects_in(object_in(message, "metadata"), "attachments")
    return next((text_in(each, "name") for each in known if text_in(each, "id") == id), "") or id


def _language(content: Object, recipient: str) -> str:
    language = text_in(content, "language")
    return language if language.isidentifier() and language != "unknown" else "python" * (recipient == "python")


def _text(text: str) -> Iterator[Block]:
    if text.strip():
        yield {"type": "text", "text": text}
