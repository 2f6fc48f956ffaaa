from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig


class ConversationsConfig(AppConfig):
    """The core: conversations, their turns and what they cost."""

    name = "conversations"

    def ready(self) -> None:
        """Names the work that engines run, and loads the platform's tools."""
        from django.conf import settings

        from conversations.engine import register
        from conversations.titles import Titles
        from conversations.turns import Turns

        register(Turns)
        register(Titles)
        for module in settings.COLLOQUY_TOOLS:
            import_module(module)
