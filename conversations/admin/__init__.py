"""The admin: reviewing what was said and what it cost. Nothing but users, prices and budgets can be changed."""

from conversations.admin import (
    access_log_admin,
    audit_admin,
    budget_admin,
    conversation_admin,
    deletion_admin,
    feedback_admin,
    job_admin,
    price_admin,
    saved_filter_admin,
    share_admin,
    token_admin,
    turn_admin,
    usage_admin,
    user_admin,
)

__all__ = [
    "access_log_admin",
    "audit_admin",
    "budget_admin",
    "conversation_admin",
    "deletion_admin",
    "feedback_admin",
    "job_admin",
    "price_admin",
    "saved_filter_admin",
    "share_admin",
    "token_admin",
    "turn_admin",
    "usage_admin",
    "user_admin",
]
