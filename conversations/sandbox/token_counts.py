"""Estimating token counts: deterministic, and of a plausible size. Pure."""

from __future__ import annotations

import json
import math
from typing import Any

from conversations.claude.catalogue import Model
from conversations.sandbox.request_text import Body

CHARACTERS_PER_TOKEN = 4
NEWER_TOKENIZER = 1.3  # about so many more tokens from 4.7 on (claude-api.md 9)
TOOLS_OVERHEAD = 286
IMAGE_TOKENS = 1568
PER_MESSAGE = 4


def of_text(text: str, model: Model) -> int:
    """Return the number of tokens of a text."""
    factor = NEWER_TOKENIZER if model.high_resolution else 1
    return math.ceil(len(text) / CHARACTERS_PER_TOKEN * factor)


def of_request(body: Body, model: Model) -> int:
    """Return the number of input tokens of a request."""
    count = of_value(body.get("system"), model) + of_value(body.get("tools"), model)
    count += TOOLS_OVERHEAD if body.get("tools") else 0
    return count + sum(PER_MESSAGE + of_value(message["content"], model) for message in body["messages"])


def of_value(value: Any, model: Model) -> int:
    """Return the number of tokens of any value in a request."""
    if value is None:
        return 0
    if isinstance(value, str):
        return of_text(value, model)
    if isinstance(value, list):
        return sum(of_value(item, model) for item in value)
    if value.get("type") == "image":
        return IMAGE_TOKENS
    if value.get("type") == "document" and value.get("source", {}).get("type") == "base64":
        return len(value["source"]["data"]) // 20
    unmarked = {key: item for key, item in value.items() if key != "cache_control"}
    return of_text(json.dumps(unmarked, ensure_ascii=False), model)
