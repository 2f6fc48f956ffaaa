"""Committed, then seen: the journal that commits turns' events, and the readers that follow them.

Other packages read by `conversations.follow`; the journal, the readers and the wakes belong to
`conversations.running.engine`.
"""
