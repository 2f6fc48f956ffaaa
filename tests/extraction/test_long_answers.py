"""An answer that is cut goes on where it was cut, and comes out whole: every item of a list once, in order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from django.conf import LazySettings
from hypothesis import given
from hypothesis import strategies as st

from conversations.models import Budget, Usage
from extraction import extract
from extraction.extracting.joining import joined
from tests.clients import Api

ROWS = [{"number": number, "name": f"part {number:04}"} for number in range(1, 3001)]
TABLE = "\n".join(f"{row['number']}. {row['name']}, of which there is one in each box" for row in ROWS)
AT_ONCE = 200  # rows of an answer
SCHEMA = {
    "type": "object",
    "properties": {
        "rows": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"number": {"type": "integer"}, "name": {"type": "string"}},
                "required": ["number", "name"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["rows"],
    "additionalProperties": False,
}


class Cutting(BaseHTTPRequestHandler):
    """A server of the Messages API that says so many rows, and goes on from what it is told that it has said."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        said = "".join(_text(each) for each in body["messages"] if each["role"] == "assistant")
        written = ", ".join(json.dumps(row) for row in ROWS[said.count("}") :][:AT_ONCE])
        is_last = said.count("}") + AT_ONCE >= len(ROWS)
        text = ('{"rows": [' if not said else ", ") + written + ("]}" if is_last else "")
        message = {"id": "m", "type": "message", "role": "assistant", "model": body["model"], "content": []}
        usage = {"input_tokens": 3, "output_tokens": 1}
        events: list[dict[str, Any]] = [
            {"type": "message_start", "message": {**message, "usage": usage}},
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}},
            {"type": "content_block_stop", "index": 0},
            {
                "type": "message_delta",
                "delta": {"stop_reason": "end_turn" if is_last else "max_tokens"},
                "usage": {"output_tokens": 9},
            },
            {"type": "message_stop"},
        ]
        stream = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events).encode()
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("content-length", str(len(stream)))
        self.end_headers()
        self.wfile.write(stream)

    def log_message(self, *args: object) -> None:
        pass


def _text(message: dict[str, Any]) -> str:
    return "".join(block["text"] for block in message["content"])


@pytest.fixture
def cutting(settings: LazySettings) -> Iterator[None]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Cutting) as upstream:
        Thread(target=upstream.serve_forever, daemon=True).start()
        settings.ANTHROPIC_BASE_URL = f"http://127.0.0.1:{upstream.server_port}"
        yield
        upstream.shutdown()


def test_three_thousand_rows_come_out_of_answers_of_two_hundred(api: Api, cutting: None) -> None:
    Budget.objects.create(user=api.user, limit=100)
    found = extract(TABLE, SCHEMA, user=api.user)
    assert (found.extraction.status, found.extraction.problems) == ("succeeded", [])
    assert found.data == {"rows": ROWS}
    [attempt] = found.extraction.attempts.all()
    assert len(attempt.ledger_rows) == len(ROWS) // AT_ONCE == Usage.objects.filter(user=api.user).count()
    assert Budget.objects.get(user=api.user).held == 0
    places = {each["path"]: each for each in found.extraction.evidence}
    assert all(places[f"/rows/{index}/name"]["status"] == "exact" for index in range(len(ROWS)))
    starts = [places[f"/rows/{index}/name"]["start"] for index in range(len(ROWS))]
    assert starts == sorted(starts)


VALUES = st.lists(
    st.fixed_dictionaries({"n": st.integers(), "s": st.text(st.characters(exclude_categories=["Cs"]), max_size=8)}),
    min_size=2,
    max_size=8,
    unique_by=lambda row: row["n"],
)


@given(VALUES, st.data())
def test_it_is_whole_wherever_it_was_cut(rows: list[Any], data: st.DataObject) -> None:
    whole = json.dumps({"rows": rows}, ensure_ascii=False)
    cuts = sorted(data.draw(st.lists(st.integers(1, len(whole) - 1), min_size=1, max_size=3, unique=True)))
    pieces = [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    found = joined(pieces)
    assert (json.loads(found.text), found.complete) == ({"rows": rows}, True)


@given(VALUES, st.data())
def test_it_is_whole_where_claude_opens_the_list_anew(rows: list[Any], data: st.DataObject) -> None:
    """It gives the rest as a list of its own, in a fence or not; what was cut of a row is given again."""
    at = data.draw(st.integers(1, len(rows) - 1))
    begun = json.dumps(rows[at], ensure_ascii=False)
    cut = data.draw(st.sampled_from(["", ",", ", ", f", {begun[: len(begun) // 2]}"]))
    first = json.dumps({"rows": rows[:at]}, ensure_ascii=False).removesuffix("]}") + cut
    rest = json.dumps({"rows": rows[at:]}, ensure_ascii=False)
    answer = data.draw(st.sampled_from([rest, f"```json\n{rest}\n```", rest.replace("{", "{\n", 1)]))
    assert json.loads(joined([first, answer]).text) == {"rows": rows}


def test_what_is_said_again_is_not_doubled() -> None:
    whole = json.dumps({"rows": ROWS[:20]})
    for cut in range(60, len(whole) - 1, 7):
        assert json.loads(joined([whole[:cut], whole[cut - 30 :]]).text) == {"rows": ROWS[:20]}


def test_an_answer_that_begins_again_and_says_no_more_has_not_grown() -> None:
    assert not joined(['{"name": "Ja', '{"name": "Ja']).grown
    assert not joined(['{"name": "Ja', ""]).grown
    assert joined(['{"name": "Ja', '{"name": "Jane"}']) == joined(['{"name": "Jane"}'])
