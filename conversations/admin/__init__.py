"""The admin: reviewing what was said and what it cost. Nothing but users, prices and budgets can be changed."""

from conversations.admin import budgets, conversations, prices, turns, usage, users

__all__ = ["budgets", "conversations", "prices", "turns", "usage", "users"]
