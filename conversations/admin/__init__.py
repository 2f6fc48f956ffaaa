"""The admin: reviewing what was said and what it cost. Nothing but users can be changed here."""

from conversations.admin import conversations, turns, usage, users

__all__ = ["conversations", "turns", "usage", "users"]
