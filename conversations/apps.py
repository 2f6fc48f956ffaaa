from __future__ import annotations

from django.apps import AppConfig


class ConversationsConfig(AppConfig):
    """The core: conversations, their turns and what they cost."""

    name = "conversations"

    def ready(self) -> None:
        """Names the work that engines run."""
        from conversations.engine import register
        from conversations.turns import Turns

        register(Turns)
