"""JSON Schemas from users: checked, fitted to structured outputs, and held against data.

What any of it costs is decided by the user's schema, so these modules are imported by check processes only
(extraction/checks.py), and by tests. They import nothing of Django.
"""
