"""The admin: reviewing what was said and what it cost. Nothing but users, prices and budgets can be changed."""

from conversations.admin import audits, budgets, conversations, jobs, openings, prices, tokens, turns, usage, users

__all__ = ["audits", "budgets", "conversations", "jobs", "openings", "prices", "tokens", "turns", "usage", "users"]
