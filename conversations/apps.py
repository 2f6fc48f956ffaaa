from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from django.apps import AppConfig
from django.conf import settings

if TYPE_CHECKING:
    from conversations.claude.catalogue import Model
    from conversations.rates import Rate
    from conversations.tools import Tool


class ConversationsConfig(AppConfig):
    """The core app: conversations, turns and usage. It keeps the state of the process."""

    name = "conversations"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.listed_models: Mapping[str, Model] = {}
        """What the Models API lists, by id (claude/catalogue.py)."""
        self.tools: dict[str, Tool] = {}
        """The functions that Claude may be given, by name (tools.py)."""
        self.request_rates: dict[uuid.UUID, Rate] = {}
        """How often each user asks this process (api/throttling.py)."""
        self.loops: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[object, object]] = WeakKeyDictionary()
        """What each event loop has of its own (loop_local.py)."""

    def ready(self) -> None:
        """Import the modules in COLLOQUY_TOOLS, which register the platform's tools."""
        for module in settings.COLLOQUY_TOOLS:
            import_module(module)
