"""The sandbox answers as Claude does: for every directive, the streamed events add up to the message."""

from __future__ import annotations

from typing import Any

import pytest

from conversations.claude.catalogue import find
from conversations.claude.stream_reader import AnswerReader
from conversations.content.folding import fold
from conversations.sandbox import token_counts
from conversations.sandbox.refused import Refused
from conversations.sandbox.replies import LABEL, directives_in
from conversations.sandbox.responder import Responder
from conversations.sandbox.stream import encoded, events_of

MODEL = "claude-sonnet-4-6"
LOOK = {"name": "look", "input_schema": {"type": "object"}}
PNG = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "eA=="}}


def body(*said: Any, **fields: Any) -> dict[str, Any]:
    """Return a request in which the user and Claude speak in turn."""
    messages = [{"role": ("user", "assistant")[at % 2], "content": each} for at, each in enumerate(said)]
    return {"model": MODEL, "max_tokens": 1000, "messages": messages, **fields}


def answer(*said: Any, responder: Responder | None = None, **fields: Any) -> dict[str, Any]:
    request = body(*said, **fields)
    directives, prompt = directives_in(request)
    return (responder or Responder()).message("msg_1", request, directives, prompt)


def text(message: dict[str, Any]) -> str:
    return "".join(block["text"] for block in message["content"] if block["type"] == "text")


SAID = {
    "nothing": "Hello",
    "text": "[[sandbox: text=Größe 🎉 and more]]",
    "thinking": "[[sandbox: thinking=Let me see; text=So]]",
    "redacted thinking": "[[sandbox: redacted_thinking; text=So]]",
    "a tool": '[[sandbox: text=Wait; tool=look{"at": "the moon and the stars"}; tool=look]]',
    "a search": "[[sandbox: web_search; text=Found]]",
    "citations": "[[sandbox: citations; text=As it says]]",
    "a refusal": "[[sandbox: refusal=cyber]]",
    "a refusal midway": "[[sandbox: refusal; text=Well]]",
    "nothing at all": "[[sandbox: empty]]",
    "a block of tomorrow": "[[sandbox: block=sandbox_hologram; text=Look]]",
    "blocks": '[[sandbox: content=[{"type": "text", "text": "One"}, {"type": "text", "text": "Two"}]]]',
    "a stop reason": "[[sandbox: text=x; stop_reason=stop_sequence; stop_sequence=END]]",
}
WIRES = ("", "crlf", "late_usage", "duplicate_message_start", "no_ping")


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("said", SAID.values(), ids=SAID)
def test_a_stream_adds_up_to_the_message(said: str, wire: str) -> None:
    prompt = said.replace("[[sandbox:", f"[[sandbox: {wire};") if wire else said
    request = body(prompt, tools=[LOOK])
    directives, rest = directives_in(request)
    message = Responder().message("msg_1", request, directives, rest)
    reader = AnswerReader()
    events = [found for event in events_of(message, directives) for found in reader.feed(encoded(event, directives))]
    [folded] = fold(events + reader.end())
    assert reader.trouble is None
    assert folded.content == message["content"]
    assert (folded.stop_reason, folded.stop_sequence) == (message["stop_reason"], message["stop_sequence"])
    assert folded.stop_details == message["stop_details"]
    assert folded.usage == message["usage"]


def test_the_same_request_is_answered_alike_and_another_has_other_ids() -> None:
    said = "[[sandbox: tool=look]]"
    assert answer(said, tools=[LOOK]) == answer(said, tools=[LOOK])
    ids = {answer(f"{said}{more}", tools=[LOOK])["content"][0]["id"] for more in ("", "a", "b")}
    assert len(ids) == 3


def test_a_prompt_is_repeated_with_what_was_seen_of_it() -> None:
    said = text(answer("Hello"))
    assert said.startswith(f"{LABEL} You said: Hello\n\n")
    assert "I have seen 1 message." in said
    assert "…" not in said
    assert "x" * 300 + "…" in text(answer("x" * 301))
    assert "I have seen 3 messages, image (image/png)" in text(answer([{"type": "text", "text": "a"}, PNG], "b", "c"))


def test_what_tools_said_is_repeated() -> None:
    call = {"type": "tool_use", "id": "t", "name": "look", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "t", "content": "sunny"}
    assert text(answer("Hello", [call], [result], tools=[LOOK])) == f'{LABEL} The tools said: "sunny"'


def test_an_image_alone_can_not_be_read() -> None:
    assert "I cannot read" in text(answer([PNG]))
    assert "I cannot read" not in text(answer([PNG, {"type": "text", "text": "What is this?"}]))


@pytest.mark.parametrize(
    ("sequences", "said", "stop"),
    [
        (["three"], "one two ", "three"),
        (["three", "two"], "one ", "two"),
        (["four"], "one two three", None),
        (["one"], "", "one"),
        ([], "one two three", None),
    ],
)
def test_it_stops_at_the_first_sequence_that_it_would_say(sequences: list[str], said: str, stop: str | None) -> None:
    message = answer("[[sandbox: text=one two three]]", stop_sequences=sequences)
    assert text(message) == said
    assert (message["stop_sequence"], message["stop_reason"]) == (stop, "stop_sequence" if stop else "end_turn")


@pytest.mark.parametrize("limit", [1, 2, 5, 50])
def test_it_writes_no_more_than_it_may(limit: int) -> None:
    message = answer("[[sandbox: words=30]]", max_tokens=limit)
    words = text(message).split()
    assert words == [f"word{number}" for number in range(1, len(words) + 1)]
    assert 1 <= len(words) <= 30
    cut = len(words) < 30
    assert message["stop_reason"] == ("max_tokens" if cut else "end_turn")
    model = find(MODEL)
    assert model is not None
    assert token_counts.of_text(text(message), model) <= max(limit, 2)


def test_it_goes_on_from_the_beginning_of_an_answer() -> None:
    assert text(answer("[[sandbox: text=one two three]]", "one two")) == " three"


def test_each_round_of_tools_does_what_comes_then() -> None:
    asked = '[[sandbox: tool=look{"at": 1}; then; tool=look{"at": 2}; then; text=Done]]'
    said: list[Any] = [asked]
    for expected in ([{"at": 1}], [{"at": 2}], []):
        message = answer(*said, tools=[LOOK])
        calls = [block for block in message["content"] if block["type"] == "tool_use"]
        assert [call["input"] for call in calls] == expected
        assert message["stop_reason"] == ("tool_use" if calls else "end_turn")
        results = [{"type": "tool_result", "tool_use_id": call["id"], "content": "x"} for call in calls]
        said += [message["content"], results]
    assert text(message) == "Done"


def test_it_fails_as_often_as_it_is_told() -> None:
    request = body("[[sandbox: error=529; times=2; retry_after=7; no_retry]]")
    directives, _ = directives_in(request)
    responder = Responder()
    for _ in range(2):
        with pytest.raises(Refused) as refused:
            responder.fail_if_told(request, directives)
        assert (refused.value.status, refused.value.headers) == (529, {"retry-after": "7", "x-should-retry": "false"})
    responder.fail_if_told(request, directives)
    with pytest.raises(Refused):
        responder.fail_if_told(body("[[sandbox: error=529; times=2]]", max_tokens=5), directives)


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        ("418", 418, None),
        ("overloaded_error", 529, "overloaded_error"),
        ("error_of_tomorrow", 500, "error_of_tomorrow"),
    ],
)
def test_it_fails_by_a_status_or_by_a_type(error: str, status: int, kind: str | None) -> None:
    request = body(f"[[sandbox: error={error}]]")
    with pytest.raises(Refused) as refused:
        Responder().fail_if_told(request, directives_in(request)[0])
    assert refused.value.status == status
    assert kind in (None, refused.value.type)


MARK = {"type": "ephemeral"}
LONG = {"type": "text", "text": "Every word is worth keeping. " * 400}


def marked(**control: Any) -> dict[str, Any]:
    return {**LONG, "cache_control": {**MARK, **control}}


def spent(usage: dict[str, Any]) -> tuple[int, int, int]:
    return usage["input_tokens"], usage["cache_read_input_tokens"], usage["cache_creation_input_tokens"]


def test_a_marked_prefix_is_written_once_and_read_from_then_on() -> None:
    responder = Responder()
    first = spent(answer("a", responder=responder, system=[marked()])["usage"])
    again = spent(answer("a", responder=responder, system=[marked()])["usage"])
    other = spent(answer("another", responder=responder, system=[marked()])["usage"])
    assert first[1] == 0 < first[2]
    assert again == (first[0], first[2], 0)
    assert other[1] == first[2]
    assert sum(first) == sum(again)


def test_what_is_not_marked_or_too_short_is_not_kept() -> None:
    responder = Responder()
    short = {"type": "text", "text": "Be brief.", "cache_control": MARK}
    for system in ([LONG], [short], "Be brief."):
        for _ in range(2):
            assert spent(answer("a", responder=responder, system=system)["usage"])[1:] == (0, 0)


def test_what_is_kept_for_an_hour_is_told_apart() -> None:
    usage = answer("a", system=[marked(ttl="1h")])["usage"]
    split = usage["cache_creation"]
    assert (split["ephemeral_5m_input_tokens"], split["ephemeral_1h_input_tokens"]) == (0, spent(usage)[2])


def test_a_mark_of_the_whole_request_keeps_it_to_its_end() -> None:
    responder = Responder()
    first = spent(answer([LONG], responder=responder, cache_control=MARK)["usage"])
    assert first[0] == first[1] == 0
    more = spent(answer([LONG], "So", "And?", responder=responder, cache_control=MARK)["usage"])
    assert more[1] == first[2]


def test_another_model_has_a_cache_of_its_own() -> None:
    responder = Responder()
    answer("a", responder=responder, system=[marked()])
    assert spent(answer("a", responder=responder, model="claude-sonnet-4-5", system=[marked()])["usage"])[1] == 0
