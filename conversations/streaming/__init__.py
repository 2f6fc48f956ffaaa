"""Committed, then seen: the journal that commits what turns say, and the readers that follow it.

Others read by `conversations.follow`; the journal, the readers and the wakes belong to `conversations.running.engine`.
"""
