"""Joining an answer that was cut with its continuations. Pure.

Claude is asked to continue at the very character where it stopped; newer models accept no prefill (claude-api.md 2.6).
It may repeat some of the end, open a code fence, omit a comma, begin anew, or give the rest as a value of its own.
Which of these it did is decided by whether the joined text can still become JSON.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import jiter

OVERLAP = 4000  # characters that may be said again
SURELY_AGAIN = 16  # characters that are hardly a coincidence
LEAST_AGAIN = 8  # characters, below which an overlap says nothing
FENCE = re.compile(r"\A\s*```[a-zA-Z]*[ \t]*\n")
FENCE_END = re.compile(r"(?<!\s)\s*\n[ \t]*```\s*\Z")  # begun once for all white space: there may be very much of it
FENCE_LINE = re.compile(r"^[ \t]*```", re.MULTILINE)
"""Of fences only those that begin a line: within JSON, line ends are escaped, so others may be part of a string."""
OPENING = re.compile(r"[{\[]")
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\\?\Z)|[{}\[\],]', re.DOTALL)  # the last string may be cut


@dataclass(frozen=True)
class Joined:
    """The text of several answers together."""

    text: str
    complete: bool
    """Whether it is one whole JSON object or array, which nothing can come after."""
    grown: bool
    """Whether the last answer had anything new in it."""


def joined(texts: list[str]) -> Joined:
    """Return the text of an answer with its continuations."""
    text, grown = "", False
    for each in texts:
        longer = _longer(text, each) if text.strip() else each
        grown = len(longer.rstrip()) > len(text.rstrip())
        text = longer
    return Joined(text, _is_whole(text), grown)


def _unfenced(text: str) -> str:
    return FENCE_END.sub("", FENCE.sub("", text))


def _is_whole(text: str) -> bool:
    body = _unfenced(text).strip()
    return body[:1] in ("{", "[") and _reads(body, partial=False)


def _longer(text: str, more: str) -> str:
    """Return a text that was cut with its continuation; unchanged, if that has nothing new."""
    body = _unfenced(more)
    start = _start(text)
    if start is None or not more.strip():  # there was nothing of JSON yet, or white space that may be within a string
        return text + more
    said = text[start:]
    begun_again = len(body.strip()) >= LEAST_AGAIN and said.startswith(body.strip())
    if not body.strip() or begun_again:
        return text
    found = next((each for each in _alternatives(said, more, body) if _reads(each, partial=True)), said + more)
    return text[:start] + found


def _start(text: str) -> int | None:
    """Return the start of the JSON in a cut answer: in the open code fence, or at the first bracket."""
    fences = [fence.end() for fence in FENCE_LINE.finditer(text)]
    fence = fences[-1] if len(fences) % 2 else 0
    opening = OPENING.search(text, fence)
    return opening.start() if opening else None


def _alternatives(said: str, more: str, body: str) -> Iterator[str]:
    """Yield the possible joined texts, the likeliest first."""
    stripped = body.lstrip()
    if len(body) > len(said) and stripped.startswith(said):
        yield stripped
    again = _overlap(said, stripped)
    if again and _is_another(said, more, again):
        yield said + more
    if again >= SURELY_AGAIN:
        yield said + stripped[again:]
    yield from _begun_anew(said, stripped)
    if body is more or not FENCE.match(more):
        yield said + more
    yield said + body
    yield said + stripped
    if again >= LEAST_AGAIN:
        yield said + stripped[again:]
    yield f"{said.rstrip()},{stripped}"
    yield said.rstrip().removesuffix(",") + stripped


def _overlap(said: str, body: str) -> int:
    """Return the number of characters at the beginning of a continuation that repeat the end of the text."""
    sizes = range(min(len(said), len(body), OVERLAP), LEAST_AGAIN - 1, -1)
    return next((size for size in sizes if said.endswith(body[:size])), 0)


def _is_another(said: str, more: str, again: int) -> bool:
    """Return whether repeated characters (`again`) are a list item that equals its neighbour.

    They are if the item at the cut, joined as sent, equals the one before or after it: Claude is asked not to repeat
    anything, so each counts as an item of its own.
    """
    whole = said + more
    head = whole.removesuffix(more.lstrip().removeprefix(",").lstrip())
    for starts in _open_lists(head):
        if len(starts) > 1 and len(said) - again < starts[-1]:
            before, _ = _first_item(whole[starts[-2] : starts[-1]])
            cut, rest = _first_item(whole[starts[-1] :])
            after, _ = _first_item(rest)
            if cut and (before.startswith(cut) or (after and cut.startswith(after))):
                return True
    return False


def _first_item(items: str) -> tuple[str, str]:
    """Return the first item of a list, without white space, and the text after it, given the text after the bracket."""
    end = _end_of_last_item(items, first=True) or len(items)
    return _bare(items[:end]), items[end:].lstrip().removeprefix(",")


def _open_lists(text: str) -> list[list[int]]:
    """Return the start of the items of each list that is open at the end of a text, the outermost first."""
    open: list[list[int] | None] = []  # None: an object
    for token in TOKEN.finditer(text):
        match token[0]:
            case "[":
                open.append([_next(text, token.end())])
            case "{":
                open.append(None)
            case "]" | "}" if open:
                open.pop()
            case "," if open and (starts := open[-1]) is not None:
                starts.append(_next(text, token.end()))
    return [starts for starts in open if starts is not None]


def _next(text: str, position: int) -> int:
    """Return the offset of the next character that is not white space."""
    return len(text) - len(text[position:].lstrip())


def _begun_anew(said: str, body: str) -> Iterator[str]:
    """Yield the joined texts for a continuation that opens the cut list again, as in `{"rows": [` twice.

    The continuation has the rest of the items, or all of them once more.
    """
    opened, anew = _to_first_list(said), _to_first_list(body)
    if not opened or not anew or _bare(opened) != _bare(anew):
        return
    items, rest = said[len(opened) :].lstrip(), body[len(anew) :].lstrip()
    if items[:1] == "[" or not rest:
        return
    first = items[: _end_of_last_item(items, first=True) or len(items)]
    if first and rest.startswith(first):
        yield body if len(body) > len(said) else said
        return
    whole = items[: _end_of_last_item(items)]
    yield opened + (f"{whole},{rest}" if whole else rest)


def _to_first_list(text: str) -> str:
    at = text.find("[")
    return text[: at + 1] if at >= 0 else ""


def _bare(text: str) -> str:
    return "".join(text.split())


def _end_of_last_item(items: str, *, first: bool = False) -> int:
    """Return the end of the last complete item of a list, or of the `first`, in the text after its bracket."""
    depth, end = 0, 0
    for token in TOKEN.finditer(items):
        mark = token[0]
        if mark in "{[":
            depth += 1
        elif mark in "}]":
            depth -= 1
        if depth < 0 or (depth == 0 and mark == ","):
            end = token.start()
        elif depth == 0 and mark in "}]":
            end = token.end()
        if depth < 0 or (first and end):
            break
    return end


def _reads(text: str, *, partial: bool) -> bool:
    """Return whether a text is JSON or, with `partial`, the beginning of JSON."""
    body = FENCE_END.sub("", text) if partial else text
    try:
        jiter.from_json(body.encode("utf-8", "replace"))
    except ValueError as error:
        return partial and str(error).startswith("EOF")
    return True
