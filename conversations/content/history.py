"""Building a request that Claude accepts from stored messages. Pure; the rules are those of claude-api.md 2 and 8."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from conversations.content.block_checks import ONLY_ASKED
from conversations.content.tool_pairs import Path, client_calls, pair_results, with_distinct_ids
from conversations.contract.wire import Block, Request, Settings

THINKING = frozenset({"thinking", "redacted_thinking"})
CUT = frozenset({None, "max_tokens", "model_context_window_exceeded"})
CUT_SHORT = frozenset({"tool_use", "server_tool_use", "mcp_tool_use", "thinking"})
SERVER_CALLS = frozenset({"server_tool_use", "mcp_tool_use"})
CITED = frozenset({"document", "search_result"})
NOT_IN_ANSWERS = ONLY_ASKED | {"container_upload"}
"""Kinds of blocks that Claude accepts in questions only."""


@dataclass(frozen=True)
class Said:
    """The parts of a stored message that a request needs."""

    role: str
    content: Sequence[Block]
    stop_reason: str | None = None
    prefix: object = None
    """The prefix of the answer besides the messages before it: model, system and tools. Comparable."""


def build_request(
    said: Iterable[Said],
    settings: Settings,
    expand: Callable[[Sequence[Block]], list[Block]],
    prefix: object = None,
    *,
    bound: bool = True,
    container: str | None = None,
) -> Request:
    """Return the body of a Messages request for a path that ends in a user's message, or an answer to continue.

    `expand` inserts the bytes of attachments; `prefix` is the prefix of the request, to be compared with that of each
    answer; `bound` says whether the model refuses thinking with another prefix; `container` is the container in which
    Claude's code waits for the tools that it has called, if it is known.
    """
    messages = _without_refused(said)
    # Thinking is bound to all content before it, and refused with another prefix (claude-api.md 2.7). But the thinking
    # of a running tool loop has to stay: usually its prefix is that of this request; if a turn continues with other
    # settings, or in a copy, only some models would refuse it.
    keep_all = all(message.prefix == prefix for message in messages if message.role == "assistant")
    loop = _loop(messages)
    called = _without_open_server_calls(_taken_back(messages), container)
    gaps = _gaps(messages, called)

    def keeps_thinking(index: int, message: Said) -> bool:
        stays = keep_all or (index >= loop and (message.prefix == prefix or not bound))
        return stays and index not in gaps

    cleaned = [(each.role, _cleaned(each, keeps_thinking(index, each))) for index, each in enumerate(called)]
    path = _cited_alike(_merged(with_distinct_ids(pair_results(_merged(cleaned)))))
    if path and path[-1][0] == "assistant" and not is_paused(messages[-1].content, messages[-1].stop_reason):
        path[-1] = ("assistant", _prefill(path[-1][1]))
    request: Request = {
        "model": settings["model"],
        "max_tokens": settings["max_tokens"],
        "messages": [{"role": role, "content": expand(content)} for role, content in path],
    }
    if container:
        request["container"] = container
    return _with_settings(request, settings)


def _with_settings(request: Request, settings: Settings) -> Request:
    """Return a request with the conversation's settings, without those that are the platform's own."""
    request = request.copy()
    if system := settings.get("system"):
        request["system"] = system
    if (temperature := settings.get("temperature")) is not None:
        request["temperature"] = temperature
    if stop_sequences := settings.get("stop_sequences"):
        request["stop_sequences"] = stop_sequences
    if (thinking := settings.get("thinking")) is not None:
        request["thinking"] = thinking
    if tools := settings.get("tools"):
        request["tools"] = tools
    if (tool_choice := settings.get("tool_choice")) is not None:
        request["tool_choice"] = tool_choice
    if effort := settings.get("effort"):
        request["output_config"] = {"effort": effort}
    return request


def is_paused(content: Iterable[Block], stop_reason: str | None) -> bool:
    """Return whether Claude paused within its own tools, and continues from the answer (claude-api.md 3.2)."""
    kinds = {block.get("type") for block in content}
    return stop_reason == "pause_turn" and not SERVER_CALLS.isdisjoint(kinds)


def open_call_ids(content: Sequence[Block], stop_reason: str | None) -> list[str]:
    """Return the ids of an answer's calls that need results: none if it was cut off or refused."""
    answer = Said("assistant", content, stop_reason)
    return [] if _refused(answer) else [call["id"] for call in client_calls(_cleaned(answer, keep_thinking=False))]


def cut_text(content: Sequence[Block], stop_reason: str | None) -> str:
    """Return the text of the last block of an answer that was cut off; empty if it can't be continued."""
    blocks = _cleaned(Said("assistant", content, stop_reason), keep_thinking=False)
    return str(blocks[-1].get("text", "")).rstrip() if blocks else ""


def _prefill(content: list[Block]) -> list[Block]:
    """Return the beginning of an answer in a form that Claude accepts: no thinking, no trailing white space."""
    blocks = [block for block in content if block.get("type") not in THINKING]
    if blocks and blocks[-1].get("type") == "text":
        blocks[-1] = {**blocks[-1], "text": blocks[-1]["text"].rstrip()}
    return blocks


def _without_refused(said: Iterable[Said]) -> list[Said]:
    """Omit refused answers with their questions, which would cause another refusal (claude-api.md 3.2)."""
    kept: list[Said] = []
    for message in said:
        if _refused(message):
            del kept[max(_loop(kept) - 1, 0) :]
        else:
            kept.append(message)
    return kept


def _taken_back(messages: Iterable[Said]) -> list[Said]:
    """Omit the blocks of answers that Claude does not accept: `NOT_IN_ANSWERS`, and thinking without a signature."""

    def stays(block: Block) -> bool:
        kind = block.get("type")
        return kind not in NOT_IN_ANSWERS and (kind != "thinking" or bool(block.get("signature")))

    return [
        replace(message, content=list(filter(stays, message.content))) if message.role == "assistant" else message
        for message in messages
    ]


def _refused(message: Said) -> bool:
    return message.role == "assistant" and message.stop_reason == "refusal"


def _loop(messages: Sequence[Said]) -> int:
    """Return the index after the last message with more than tool results, where the newest turn begins."""
    for index in range(len(messages) - 1, -1, -1):
        if messages[index].role == "user" and not only_results(messages[index].content):
            return index + 1
    return 0


def only_results(content: Sequence[Block]) -> bool:
    """Return whether a message has only tool results."""
    return all(block.get("type") == "tool_result" for block in content)


def _without_open_server_calls(messages: Sequence[Said], container: str | None) -> list[Said]:
    """Omit server tool calls without a result, and results without a call.

    Calls stay if Claude is about to continue with them: it paused, or waits for tool results (claude-api.md 3.2). Code
    that has called tools can continue only in its container, which is unknown in a copy of the conversation.
    """
    answers = [block for message in messages if message.role == "assistant" for block in message.content]
    called = {block.get("id") for block in answers if block.get("type") in SERVER_CALLS}
    answered = {block.get("tool_use_id") for block in answers if _is_server_result(block)}
    newest = max((i for i, message in enumerate(messages) if message.role == "assistant"), default=-1)
    goes_on = all(only_results(message.content) for message in messages[newest + 1 :])
    calling = {_code_of(block) for block in answers}

    def waits(index: int, call: object) -> bool:
        stopped = index == newest and goes_on and messages[index].stop_reason in ("pause_turn", "tool_use")
        return stopped and (container is not None or call not in calling)

    def stays(index: int, block: Block) -> bool:
        if block.get("type") in SERVER_CALLS:
            return block.get("id") in answered or waits(index, block.get("id"))
        return not _is_server_result(block) or block.get("tool_use_id") in called

    def kept(index: int, block: Block) -> Block:
        code = _code_of(block)
        if code is None or code in answered or waits(index, code):
            return block
        without = block.copy()
        del without["caller"]  # the code that made the call is omitted
        return without

    return [
        replace(message, content=[kept(index, block) for block in message.content if stays(index, block)])
        if message.role == "assistant"
        else message
        for index, message in enumerate(messages)
    ]


def _code_of(block: Block) -> object:
    """Return the id of the call of Claude's code that calls a tool by this block; None where it is no such block."""
    caller = block.get("caller")
    return caller.get("tool_id") if block.get("type") == "tool_use" and isinstance(caller, dict) else None


def _gaps(before: Sequence[Said], after: Sequence[Said]) -> set[int]:
    """Return the indices of messages whose thinking may be bound to omitted calls.

    These are the messages from an answer that has lost a call up to the next question, which was asked without the
    call.
    """
    gaps: set[int] = set()
    gap = False
    for index, (was, now) in enumerate(zip(before, after, strict=True)):
        question = was.role == "user" and not only_results(was.content)
        gap = not question and (gap or list(was.content) != list(now.content))
        if gap:
            gaps.add(index)
    return gaps


def _is_server_result(block: Block) -> bool:
    kind = str(block.get("type"))
    return kind.endswith("_tool_result") and kind != "tool_result"


def _cleaned(message: Said, keep_thinking: bool) -> list[Block]:
    blocks = list(message.content)
    if message.role == "user":
        return [_clean_result(block) for block in blocks if not _empty_text(block)]
    if message.stop_reason in CUT and blocks and blocks[-1].get("type") in CUT_SHORT:
        blocks.pop()  # its input, or its signature, may be incomplete
    blocks = [block for block in blocks if not _empty_text(block)]
    if not keep_thinking or all(block.get("type") in THINKING for block in blocks):
        blocks = [block for block in blocks if block.get("type") not in THINKING]
    return blocks


def _clean_result(block: Block) -> Block:
    content = block.get("content")
    if block.get("type") != "tool_result" or not isinstance(content, list):
        return block
    return {**block, "content": [each for each in content if not _empty_text(each)]}


def _empty_text(block: Block) -> bool:
    return block.get("type") == "text" and not str(block.get("text", "")).strip()


def _merged(messages: Iterable[tuple[str, list[Block]]]) -> Path:
    """Join adjacent messages of the same role, and omit those without content.

    Text after tool calls was written after their results, and stays separate.
    """
    merged: Path = []
    has_called = False
    for role, content in messages:
        if not content:
            continue
        if merged and merged[-1][0] == role and not has_called:
            merged[-1][1].extend(content)
        else:
            merged.append((role, list(content)))
        has_called = bool(client_calls(content))
    return merged


def _cited_alike(messages: Path) -> Path:
    """Enable citations for all documents or for none, and likewise for search results (claude-api.md 6).

    The first of a kind decides for the later ones: thinking is bound to the earlier content, which must not change.
    """
    decided: dict[str, bool] = {}
    return [(role, _like_the_first(content, decided) if role == "user" else content) for role, content in messages]


def _like_the_first(content: list[Block], decided: dict[str, bool]) -> list[Block]:
    alike: list[Block] = []
    for block in content:
        kind, inner = str(block.get("type")), block.get("content")
        if kind == "tool_result" and isinstance(inner, list):
            block = {**block, "content": _like_the_first(inner, decided)}
        elif kind in CITED:
            citations = block.get("citations")
            cites = isinstance(citations, dict) and bool(citations.get("enabled"))
            if decided.setdefault(kind, cites) != cites:
                block = {**block, "citations": {"enabled": decided[kind]}}
        alike.append(block)
    return alike
