"""Deletion of conversations and accounts, and retention."""
