"""Ending work whatever its row contains: if not everything can be written, as much as possible is."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from django.db import transaction

from conversations.database_faults import is_passing

T = TypeVar("T")

logger = logging.getLogger(__name__)


def whole_or_least(what: str, whole: Callable[[], T], least: Callable[[], T]) -> T:
    """Return the result of `whole`; if it raises, log the error, roll back, and do `least` instead.

    Within the caller's transaction. Temporary errors of the database (database.py) are raised, since the caller's whole
    transaction can be retried. `what` names the work in the log.
    """
    try:
        with transaction.atomic():
            return whole()
    except Exception as error:
        if is_passing(error):
            raise
        logger.exception("%s could not be ended as a whole, and ends with what could be stored", what)
    return least()


def if_possible(what: str, step: Callable[[], T]) -> T | None:
    """Return the result of `step`; if it raises, log the error, roll back, and return None. As `whole_or_least`."""
    return whole_or_least(what, step, lambda: None)
