from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig
from django.conf import settings


class ConversationsConfig(AppConfig):
    """The core: conversations, their turns and what they cost."""

    name = "conversations"

    def ready(self) -> None:
        """Import the modules of COLLOQUY_TOOLS, whose functions Claude may be given."""
        for module in settings.COLLOQUY_TOOLS:
            import_module(module)
