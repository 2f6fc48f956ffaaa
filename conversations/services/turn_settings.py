"""What a request to Claude is made with: the platform's, the conversation's over them, the turn's over those."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from conversations import tools

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


def resolved_settings(*layers: dict[str, Any]) -> dict[str, Any]:
    """Return the settings that hold, later layers over earlier ones. A null takes a setting away.

    Raises InvalidRequest for a platform's tool that there is not.
    """
    merged: dict[str, Any] = {}
    for layer in layers:
        merged.update(layer)
    held = {name: value for name, value in merged.items() if value is not None}
    return tools.with_definitions(
        {
            "model": settings.COLLOQUY_DEFAULT_MODEL,
            "max_tokens": settings.COLLOQUY_DEFAULT_MAX_TOKENS,
            **held,
        }
    )
