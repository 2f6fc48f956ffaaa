"""The settings of a request to Claude: the platform's, overridden by the conversation's and the turn's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from conversations import tools
from conversations.contract.wire import Settings

NAMES = (
    "system",
    "model",
    "max_tokens",
    "temperature",
    "stop_sequences",
    "thinking",
    "effort",
    "tools",
    "tool_choice",
)


def resolved_settings(*layers: Mapping[str, object]) -> Settings:
    """Return the merged settings; later layers override earlier ones. A null resets a setting.

    Raises InvalidRequest for a platform's tool that there is not.
    """
    merged: dict[str, object] = {}
    for layer in layers:
        merged.update(layer)
    held = {name: value for name, value in merged.items() if value is not None}
    whole: Any = {
        "model": settings.COLLOQUY_DEFAULT_MODEL,
        "max_tokens": settings.COLLOQUY_DEFAULT_MAX_TOKENS,
        **held,
    }
    return tools.with_definitions(whole)
