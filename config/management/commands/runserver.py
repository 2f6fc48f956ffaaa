"""`manage.py runserver` on Daphne, for development.

Daphne's own app would provide it too, but imports Twisted in every process that sets Django up.
"""

from __future__ import annotations

from daphne.management.commands.runserver import Command

__all__ = ["Command"]
