from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig
from django.conf import settings

# Modules whose receivers of signals book and release what a deleted row held, whichever process deletes it.
RECEIVERS = [f"conversations.services.{name}" for name in ("attachments", "titles", "turn_end")]


class ConversationsConfig(AppConfig):
    """The core: conversations, their turns and what they cost."""

    name = "conversations"

    def ready(self) -> None:
        """Import what every process has to know: what is done when rows are deleted, and COLLOQUY_TOOLS."""
        for module in (*RECEIVERS, *settings.COLLOQUY_TOOLS):
            import_module(module)
