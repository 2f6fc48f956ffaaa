"""Tools of the platform for tests, written as an operator would write them."""

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
    """Return the sum of two numbers."""
    return first + second


@tool
def broken(word: str) -> str:
    """Raise an error."""
    raise RuntimeError(f"no {word} today")


@tool(seconds=0.2)
async def slow() -> str:
    """Sleep longer than a tool may run."""
    await asyncio.sleep(60)
    return "never"


@tool
async def nap(seconds: float) -> float:
    """Sleep, and return the time at which the sleep began."""
    began = time.time()
    await asyncio.sleep(seconds)
    return began


@tool
def wait_for(path: str) -> str:
    """Wait until a file exists."""
    until(Path(path).exists)
    return "it is there"


@tool
def title(caller: Caller) -> dict[str, Any]:
    """Return the title of the conversation."""
    return {"title": Conversation.objects.get(pk=caller.conversation).title}


@tool
def picture() -> list[dict[str, Any]]:
    """Return a text and an image of one pixel."""
    source = {"type": "base64", "media_type": "image/gif", "data": base64.b64encode(DOT).decode()}
    return [{"type": "text", "text": "a dot"}, {"type": "image", "source": source}]


@tool
def half_a_character() -> str:
    """Return a text with a lone surrogate."""
    return "party \ud83c"


@tool
def unknown_block() -> list[dict[str, Any]]:
    """Return a block of an unknown type."""
    return [{"type": "hologram", "depth": 3}]


@tool
def leaves() -> None:
    """Try to end the process."""
    raise SystemExit(1)


@tool(seconds=0.3)
def oversleep() -> str:
    """Block the thread longer than a tool may run."""
    time.sleep(40)
    return "never"


@tool
def novel() -> str:
    """Return a text that is too long for a small model."""
    return "x" * 1_500_000
