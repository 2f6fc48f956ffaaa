"""Building the requests of an extraction. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from conversations.content.cache_marks import MARK
from conversations.contract.extraction_types import Problem, SchemaExample
from conversations.contract.wire import Block, Message
from conversations.contract.wire import Request as ClaudeRequest
from conversations.exact_json import dumps
from extraction.extracting.plan import Group, Schema

INSTRUCTIONS = (
    "Extract what the schema describes from what the user gives you. Take values only from there; do not make any up."
)
JSON_ONLY = "Answer with a single JSON value that satisfies this JSON Schema, and nothing else:\n\n{schema}"
WITH_EVIDENCE = (
    "Answer with a single JSON object of two fields, data and evidence, and nothing else. data satisfies this JSON "
    "Schema:\n\n{schema}"
)
EVIDENCE = (
    'evidence is a list of objects {"path": ..., "quote": ...}, one for each string, number and boolean in data, in '
    "their order: path is the JSON Pointer of the value in data; quote is what the value rests on, a few words copied "
    "character by character from what the user gave you."
)
PART = (
    "What you are given is part {number} of {count} of something longer. Extract what this part has; leave out fields "
    "that it does not have."
)
FIELDS = "Of all that is to be extracted, these are the fields to extract now. {schema}"
EXAMPLE = "Example {number}. For this content:\n\n{content}\n\nthe data is:\n\n{data}"
AGAIN = "That does not satisfy the schema:\n\n{problems}\n\nGive the whole JSON again, corrected."
GO_ON = (
    "Your answer was cut. Go on exactly where it stopped: the first character of your answer comes right after the "
    "last one above. Repeat nothing, and add nothing else."
)
NOTHING = "(nothing)"
LEAST_TOKENS = 4096  # of output; a chat's default would cut many a list short
MOST_TOKENS_UNKNOWN = 8192  # of output, where it is not known how much a model writes
THINKING_TOKENS = 8192  # of output, for models that think by themselves (claude-api.md 2.4)
TOKENS_OF_VALUE, TOKENS_OF_EVIDENCE = 32, 64  # with the name of its field; with path and quote
LISTED, LISTED_WITH_EVIDENCE = 1.5, 4.0  # tokens of output for each of a document that is a list


@dataclass(frozen=True)
class Earlier:
    """An earlier attempt: Claude's answer, and its problems."""

    text: str
    problems: Sequence[Problem]


@dataclass(frozen=True)
class Question:
    """The common parts of all requests of an extraction."""

    model: str
    evidence: bool = False
    """Whether Claude is asked for a quote for each value."""
    instructions: str = ""
    examples: Sequence[SchemaExample] = ()
    parts: int = 1
    """The number of parts of the content, one per request."""
    divided: bool = False
    """Whether the fields are split over several requests about the same content."""


@dataclass(frozen=True)
class Request:
    """The specific parts of one request."""

    group: Group
    content: Sequence[Block]
    max_tokens: int
    native: bool
    """Whether structured outputs enforce the group's grammar."""
    part: int = 0
    earlier: Sequence[Earlier] = field(default_factory=tuple)
    said: str | None = None
    """The answer so far, if it was cut off; None for a new one."""


def request_for(question: Question, request: Request) -> ClaudeRequest:
    """Build the body of a Messages request.

    If several requests have the same content, it comes first with a cache mark, and the specific instructions follow:
    system and content are the same in all of them (claude-api.md 12).
    """
    again = question.divided or request.said is not None
    content = _cached(request.content) if again else list(request.content)
    if question.divided:
        asked = _in_words(question, request.group.schema)
        content.append({"type": "text", "text": FIELDS.format(schema=asked)})
    body: ClaudeRequest = {
        "model": question.model,
        "max_tokens": request.max_tokens,
        "messages": [{"role": "user", "content": content}, *_said_before(request)],
        "system": _system(question, request),
    }
    if request.native and request.said is None:
        body["output_config"] = {"format": {"type": "json_schema", "schema": request.group.grammar}}
    return body


def _said_before(request: Request) -> list[Message]:
    messages: list[Message] = []
    for attempt in request.earlier:
        listed = "\n".join(f"- {problem['path'] or '/'}: {problem['message']}" for problem in attempt.problems)
        messages += _exchange(attempt.text, AGAIN.format(problems=listed))
    if request.said is not None:
        messages += _exchange(request.said, GO_ON)
    return messages


def _exchange(answer: str, reply: str) -> list[Message]:
    said = answer if answer.strip() else NOTHING
    return [
        {"role": "assistant", "content": [{"type": "text", "text": said}]},
        {"role": "user", "content": reply},  # type: ignore[typeddict-item]  # stands for one block of text,
    ]


def _system(question: Question, request: Request) -> str:
    told = [INSTRUCTIONS]
    held = request.native and request.said is None
    if not held and not question.divided:
        told.append(_in_words(question, request.group.schema))
    if question.evidence:
        told.append(EVIDENCE)
    if question.parts > 1:
        told.append(PART.format(number=request.part + 1, count=question.parts))
    if question.instructions:
        told.append(question.instructions)
    told += [_example(number, each) for number, each in enumerate(question.examples, 1)]
    return "\n\n".join(told)


def _in_words(question: Question, schema: Schema) -> str:
    return (WITH_EVIDENCE if question.evidence else JSON_ONLY).format(schema=dumps(schema))


def _example(number: int, example: SchemaExample) -> str:
    content = example["content"]
    text = content if isinstance(content, str) else "\n\n".join(block["text"] for block in content)
    return EXAMPLE.format(number=number, content=text, data=dumps(example["data"], ascii=False))


def _cached(content: Sequence[Block]) -> list[Block]:
    """Return content with a cache mark at its end, unless its author has set marks."""
    if any("cache_control" in block for block in content):
        return list(content)
    return [*content[:-1], {**content[-1], "cache_control": MARK}]


def tokens_for(question: Question, group: Group, *, content_tokens: int, most: int | None, thinks: bool = False) -> int:
    """Return the `max_tokens` of an answer: enough for the group's values, with lists as long as the content.

    `content_tokens` is an estimate of the content's tokens; `most` is the model's maximal output, None if unknown;
    `thinks` says whether it thinks first. A longer answer is cut and continued, so it need not be included.
    """
    value = TOKENS_OF_VALUE + (TOKENS_OF_EVIDENCE if question.evidence else 0)
    listed = LISTED_WITH_EVIDENCE if question.evidence else LISTED
    wanted = group.leaves * value + (int(content_tokens * listed) if group.lists else 0)
    thinking = THINKING_TOKENS if thinks else 0
    return min(max(wanted, LEAST_TOKENS) + thinking, most or MOST_TOKENS_UNKNOWN)
