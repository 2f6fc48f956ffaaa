"""Tools of the platform, as somebody who runs it would write them."""

from __future__ import annotations

import asyncio
import base64
import time
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from conversations.models import Conversation
from conversations.tools import Caller, tool
from tests.waiting import until

DOT = base64.b64decode("R0lGODlhAQABAAAAACwAAAAAAQABAAACAUwAOw==")


@tool
async def add(first: int, second: Annotated[int, Field(description="What is added.")] = 1) -> int:
    """The sum of two numbers."""
    return first + second


@tool
def broken(word: str) -> str:
    """Fails."""
    raise RuntimeError(f"no {word} today")


@tool(seconds=0.2)
async def slow() -> str:
    """Takes far too long."""
    await asyncio.sleep(60)
    return "never"


@tool
async def nap(seconds: float) -> float:
    """Sleeps, and says when it began."""
    began = time.time()
    await asyncio.sleep(seconds)
    return began


@tool
def wait_for(path: str) -> str:
    """Waits for a file."""
    until(Path(path).exists)
    return "it is there"


@tool
def title(caller: Caller) -> dict[str, Any]:
    """What the conversation is called."""
    return {"title": Conversation.objects.get(pk=caller.conversation).title}


@tool
def picture() -> list[dict[str, Any]]:
    """A dot."""
    source = {"type": "base64", "media_type": "image/gif", "data": base64.b64encode(DOT).decode()}
    return [{"type": "text", "text": "a dot"}, {"type": "image", "source": source}]


@tool
def half_a_character() -> str:
    """Cuts an emoji in two."""
    return "party \ud83c"


@tool
def unknown_block() -> list[dict[str, Any]]:
    """Returns what nobody knows."""
    return [{"type": "hologram", "depth": 3}]


@tool
def leaves() -> None:
    """Tries to end the process."""
    raise SystemExit(1)


@tool(seconds=0.3)
def oversleep() -> str:
    """Sleeps in its thread for far too long."""
    time.sleep(40)
    return "never"


@tool
def novel() -> str:
    """Returns far more than a small model can read."""
    return "x" * 1_500_000
