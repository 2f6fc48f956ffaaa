"""The sandbox's answers. Deterministic: the same request gets the same answer."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

from conversations.claude.catalogue import Model
from conversations.sandbox import request_text, token_counts
from conversations.sandbox.binding import signature
from conversations.sandbox.directives import Directives, parse
from conversations.sandbox.request_text import Block, Body
from conversations.sandbox.structured_replies import Unreadable, structured_reply

LABEL = "[sandbox]"
UNCOUNTED = ("thinking", "redacted_thinking")
UNREADABLE = "I cannot read PDFs that have no text, or look at images: only Claude can."
EXCERPT = 300  # characters of the prompt that are repeated
UNREAD: Block = {"type": "text", "text": f"{LABEL} {UNREADABLE}"}
"""Instead of JSON that would have to be made up."""
WORD = re.compile(r"\S+\s*")


@dataclass
class Answer:
    """The content of an answer."""

    content: list[Block]
    stop_reason: str = "end_turn"
    stop_sequence: str | None = None
    stop_details: Block | None = None
    usage: Body = field(default_factory=dict)


def directives_in(body: Body) -> tuple[Directives, str]:
    """Return the directives of the user's newest text, and the text of its message without any directives.

    An unanswered question is sent again in one message with the next question, as an earlier text block: its directives
    no longer count. Without directives in the newest text, those of an earlier text apply if they have `always`.
    """
    body, _ = request_text.without_going_on(body)
    messages = [request_text.texts(message["content"]) for message in body["messages"] if message["role"] == "user"]
    newest, *earlier = [text for texts in reversed(messages) for text in reversed(texts)] or [""]
    _, prompt = parse("\n".join(next(filter(None, reversed(messages)), [""])))
    directives, _ = parse(newest)
    directives = _due(directives, prompt, body)
    for text in earlier if directives == Directives() else ():
        before, _ = parse(text)
        if "always" in before:
            return before, prompt
    return directives, prompt


def _due(directives: Directives, prompt: str, body: Body) -> Directives:
    """Return the directives of the present round, by the number of blocks since the prompt."""
    said = 0
    for message in reversed(body["messages"]):
        if message["role"] == "assistant":
            said += sum(block["type"] not in UNCOUNTED for block in request_text.blocks(message["content"]))
        elif request_text.text(message["content"]):
            break
    while said > 0 and (directives.then or directives.tools):
        said -= sum(block["type"] not in UNCOUNTED for block in _content(body, directives, prompt, map(str, count())))
        directives = directives.then or Directives()
    return directives


def answer_to(body: Body, model: Model, directives: Directives, prompt: str) -> Answer:
    """Return the answer to a valid request."""
    # Ids differ between the requests of a conversation, and are the same for the same request.
    seed = hashlib.sha256(json.dumps(body["messages"]).encode())
    ids = (hashlib.sha256(seed.digest() + b"%d" % number).hexdigest()[:20] for number in count())
    answer = Answer(_content(body, directives, prompt, ids))
    if directives.tools:
        answer.stop_reason = "tool_use"
    _refuse(answer, directives)
    if UNREAD in answer.content:
        answer.stop_reason, answer.stop_details = "refusal", {**_refusal(directives), "explanation": UNREADABLE}
    _stop_at_sequence(answer, body.get("stop_sequences", []))
    _stop_at_limit(answer, body["max_tokens"], model)
    if stop_reason := directives.text("stop_reason"):
        answer.stop_reason = stop_reason
        answer.stop_sequence = directives.text("stop_sequence") if stop_reason == "stop_sequence" else None
        answer.stop_details = _refusal(directives) if stop_reason == "refusal" else None
    answer.usage = {"output_tokens": _output_tokens(answer, model)}
    if "web_search" in directives:
        answer.usage["server_tool_use"] = {"web_search_requests": 1, "web_fetch_requests": 0}
    return answer


def _content(body: Body, directives: Directives, prompt: str, ids: Iterator[str]) -> list[Block]:
    if "empty" in directives:
        return []
    if isinstance(given := directives.values.get("content"), list):
        return list(given)
    content = _thinking(body, directives, prompt)
    if "web_search" in directives:
        content += _web_search(prompt, next(ids))
    if kind := directives.text("block"):
        content.append({"type": kind, "shape": "sphere", "parts": []})
    asked, already_said = request_text.without_going_on(body)
    said = _after_prefill(body, _said(asked, directives, prompt).removeprefix(already_said))
    if said:
        text: Block = {"type": "text", "text": said}
        if "citations" in directives:
            text["citations"] = [_citation(body)]
        content.append(text)
    calls = [
        {"type": "tool_use", "id": f"toolu_{next(ids)}", "name": name, "input": it} for name, it in directives.tools
    ]
    return content + calls


def _thinking(body: Body, directives: Directives, prompt: str) -> list[Block]:
    blocks: list[Block] = []
    if "thinking" in directives or body.get("thinking", {}).get("type") in ("adaptive", "enabled"):
        omitted = body.get("thinking", {}).get("display") == "omitted"
        thought = directives.text("thinking") or f"The user wrote {len(prompt)} characters; a short answer will do."
        blocks.append({"type": "thinking", "thinking": "" if omitted else thought, "signature": signature(body)})
    if "redacted_thinking" in directives:
        before = blocks[-1]["signature"] if blocks else None
        blocks.append({"type": "redacted_thinking", "data": signature(body, before)})
    return blocks


def _after_prefill(body: Body, said: str) -> str:
    """Return the rest of the content if the request has a prefill."""
    last = body["messages"][-1]
    return said.removeprefix(request_text.text(last["content"])) if last["role"] == "assistant" else said


def _said(body: Body, directives: Directives, prompt: str) -> str:
    for name in ("text", "json"):
        if (given := directives.text(name)) is not None:
            return given
    if "words" in directives:
        return " ".join(f"word{number}" for number in range(1, int(directives.number("words")) + 1))
    try:
        value = structured_reply(body)
    except Unreadable:
        return str(UNREAD["text"])
    if value is None:
        return "" if directives.tools else _echo(body, prompt)
    if "fence" in directives:
        return f"```json\n{value}\n```"
    return f"Here is what you asked for: {value} I hope that it helps." if "prose" in directives else value


def _echo(body: Body, prompt: str) -> str:
    newest = body["messages"][-1]["content"]
    results = [block for block in newest if block["type"] == "tool_result"] if isinstance(newest, list) else []
    if results:
        shown = "; ".join(json.dumps(block.get("content", "")) for block in results)
        return f"{LABEL} The tools said: {shown[:EXCERPT]}"
    excerpt = prompt[:EXCERPT] + ("…" if len(prompt) > EXCERPT else "")
    about = f"I am not Claude, but a stand-in for trying things. I have seen {request_text.seen(body)}."
    return f"{LABEL} You said: {excerpt}\n\n{about}" + (f" {UNREADABLE}" if request_text.unreadable(body) else "")


def _web_search(prompt: str, id: str) -> list[Block]:
    call = f"srvtoolu_{id}"
    result = {
        "type": "web_search_result",
        "url": "https://example.com/",
        "title": "Example Domain",
        "encrypted_content": hashlib.sha256(id.encode()).hexdigest(),
        "page_age": None,
    }
    return [
        {"type": "server_tool_use", "id": call, "name": "web_search", "input": {"query": prompt[:80]}},
        {"type": "web_search_tool_result", "tool_use_id": call, "content": [result]},
    ]


def _citation(body: Body) -> Body:
    return {
        "type": "char_location",
        "cited_text": "",
        "document_index": 0,
        "document_title": None,
        "start_char_index": 0,
        "end_char_index": 1,
        "file_id": None,
    }


def _refusal(directives: Directives) -> Body:
    return {"type": "refusal", "category": directives.text("refusal"), "explanation": None}


def _refuse(answer: Answer, directives: Directives) -> None:
    if "refusal" in directives:
        answer.content = answer.content if "text" in directives else []
        answer.stop_reason, answer.stop_details = "refusal", _refusal(directives)


def _stop_at_sequence(answer: Answer, sequences: list[str]) -> None:
    for index, block in enumerate(answer.content):
        text = block["text"] if block["type"] == "text" else ""
        hit = min((sequence for sequence in sequences if sequence in text), key=text.index, default=None)
        if hit is not None:
            block["text"] = text[: text.index(hit)]
            answer.content = answer.content[: index + bool(block["text"])]
            answer.stop_reason, answer.stop_sequence = "stop_sequence", hit
            return


def _stop_at_limit(answer: Answer, limit: int, model: Model) -> None:
    used = 0
    for index, block in enumerate(answer.content):
        key = "text" if block["type"] == "text" else "thinking" if block["type"] == "thinking" else None
        if key is None:
            continue
        words = WORD.findall(block[key])
        kept = 0
        while kept < len(words) and used + token_counts.of_text("".join(words[: kept + 1]), model) <= limit:
            kept += 1
        if kept < len(words):
            block[key] = "".join(words[: max(kept, 1)]).rstrip() if key == "text" else "".join(words[: max(kept, 1)])
            answer.content = answer.content[: index + 1]
            answer.stop_reason = "max_tokens"
            return
        used += token_counts.of_text(block[key], model)


def _output_tokens(answer: Answer, model: Model) -> int:
    return max(1, sum(token_counts.of_value(block, model) for block in _bare(answer.content)))


def _bare(content: list[Block]) -> list[object]:
    return [block.get("text") or block.get("thinking") or block.get("input") or "" for block in content]
