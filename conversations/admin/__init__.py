"""The admin: reviewing what was said and what it cost. Nothing but users and prices can be changed."""

from conversations.admin import conversations, prices, turns, usage, users

__all__ = ["conversations", "prices", "turns", "usage", "users"]
