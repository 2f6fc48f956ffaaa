"""Content as data: blocks, histories and transcripts. Pure: no database, no network.

A user's blocks are validated (`block_checks`, `sources`, `media`), stored messages become a history that Claude accepts
(`history`, `tool_pairs`, `cache_marks`), and a turn's events become messages (`transcript`, `folding`).
"""
