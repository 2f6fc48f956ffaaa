"""JSON answers to requests for JSON: by `output_config.format`, or by instructions. Pure."""

from __future__ import annotations

import json
import re

from conversations.json_types import JSONSchema
from conversations.sandbox import request_text
from conversations.sandbox.directives import parse
from conversations.sandbox.filled_schema import filled
from conversations.sandbox.output_schemas import is_well_formed
from conversations.sandbox.request_text import Body

SCHEMA_WORDS = frozenset({"properties", "$schema", "items", "anyOf", "$ref", "$defs"})
"""A JSON object with one of these is taken for a schema, where it is one."""
WITH_EVIDENCE = "two fields, data and evidence"
"""What is said where each value is to come with the words that it is from (extraction/asking.py)."""
AGAIN = "That does not satisfy the schema"
"""How a message begins that asks for the whole once more (extraction/asking.py)."""


class Unreadable(Exception):
    """A request depends on content that the sandbox can't read."""


def structured_reply(body: Body) -> str | None:
    """Return the requested JSON, or None if no JSON is requested.

    Raises Unreadable where it would have to be made up, Refused where no JSON can satisfy the schema.
    """
    asked = _as_first_asked(body)
    schema, told = _schema_asked_for(asked)
    if schema is None:
        return None
    if request_text.unreadable(asked):
        raise Unreadable
    text = _text(asked, told)
    data = _data_of(schema)
    if data is None and WITH_EVIDENCE not in told:
        return json.dumps(filled(schema, text).value, ensure_ascii=False)
    made = filled(data or schema, text)
    return json.dumps({"data": made.value, "evidence": made.evidence}, ensure_ascii=False)


def _as_first_asked(body: Body) -> Body:
    """Return a request for corrections of an answer in its original form."""
    messages = body["messages"]
    while len(messages) > 2 and request_text.text(messages[-1]["content"]).startswith(AGAIN):
        messages = messages[:-2]
    return {**body, "messages": messages}


def _data_of(schema: JSONSchema) -> JSONSchema | None:
    """Return the schema of the data in a schema for data and evidence; else None."""
    named = schema.get("properties", {})
    items = named.get("evidence", {}).get("items", {}) if named.keys() == {"data", "evidence"} else {}
    if {"path", "quote"} - items.get("properties", {}).keys():
        return None
    definitions = {key: schema[key] for key in ("$defs", "definitions") if key in schema}
    return {**definitions, **named["data"]}


def _schema_asked_for(body: Body) -> tuple[JSONSchema | None, str]:
    """Return the schema of the format, or else of a text that has one, and that text."""
    system = request_text.text(body.get("system", ""))
    format = body.get("output_config", {}).get("format")
    if format:
        return format["schema"], system
    said = [
        text
        for message in body["messages"]
        if message["role"] == "user"
        for text in request_text.texts(message["content"])
    ]
    for text in (*reversed(said), system):
        schema = _schema_in(text)
        if schema is not None:
            return schema, text
    return None, ""


def _schema_in(text: str) -> JSONSchema | None:
    place = _place_of_schema(text)
    return None if place is None else json.loads(text[place])


def _place_of_schema(text: str) -> slice | None:
    """Return the place of the first JSON object in a text that is a schema."""
    decoder = json.JSONDecoder()
    for brace in re.finditer(r"\{", text):
        try:
            value, end = decoder.raw_decode(text, brace.start())
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict) and value.keys() & SCHEMA_WORDS and is_well_formed(value):
            return slice(brace.start(), end)
    return None


def _text(body: Body, told: str) -> str:
    """Return the text to extract from, without the instructions if they are a text of their own."""
    newest = next(message for message in reversed(body["messages"]) if message["role"] == "user")
    texts = request_text.texts(newest["content"])
    documents = request_text.of_documents(body)
    if told in texts and len(texts) + len(documents) > 1:
        texts.remove(told)
    given = [parse(_without_schema(text) if text == told else text)[1] for text in texts]
    return "\n".join([*given, *documents]).strip()


def _without_schema(text: str) -> str:
    place = _place_of_schema(text)
    return text if place is None else text[: place.start] + text[place.stop :]
