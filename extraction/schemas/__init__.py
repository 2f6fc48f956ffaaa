"""JSON Schemas from users: checked, fitted to structured outputs, and held against data.

The user's schema decides their cost, so these modules are imported by check processes only (extraction/checks.py), and
by tests. They import nothing of Django.
"""
