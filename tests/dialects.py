"""One answer in the forms in which different servers of the Messages API stream it."""

from __future__ import annotations

from tests.scripted import START, end, text, wire

EVENTS = [START, {"type": "ping"}, *text("Hello", " 日本 🎉"), *end()]

DIALECTS = {
    "events without names": wire(*EVENTS, named=False),
    "CR": wire(*EVENTS, newline="\r"),
    "CRLF": wire(*EVENTS, newline="\r\n"),
    "names that are wrong": wire(*EVENTS).replace("event: ", "event: x"),
    "byte order mark": "\ufeff" + wire(*EVENTS),
    "byte order mark before CR": "\ufeff" + wire(*EVENTS, newline="\r", named=False),
    "comments, ids and pauses": ": hello\n\nretry: 10\nid: 5\n" + wire(*EVENTS).replace("event:", "id: 1\nevent:"),
    "no space after the colon": wire(*EVENTS).replace("data: ", "data:").replace("event: ", "event:"),
    "blank lines": "\n\n\n" + wire(*EVENTS).replace("\n\n", "\n\n\n\n"),
    "no blank line at the end": wire(*EVENTS).rstrip("\n"),
    "no blank line at the end, after CR": wire(*EVENTS, newline="\r\n").removesuffix("\r\n"),
    "data of two lines": wire(*EVENTS).replace('data: {"type": ', 'data: {"type":\ndata: '),
}
