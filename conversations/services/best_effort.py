"""Ending work whatever its row is like: what can't be written as a whole is written as far as it can be."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from django.db import transaction

from conversations.database_faults import is_passing

T = TypeVar("T")

logger = logging.getLogger(__name__)


def whole_or_least(what: str, whole: Callable[[], T], least: Callable[[], T]) -> T:
    """Return what `whole` returns; where it raises, log why, undo it, and do `least` instead.

    Within the caller's transaction. Errors of the database that pass (database.py) are raised: then the caller's whole
    transaction is worth another try. `what` names the work in the log.
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
    """Return what `step` returns; where it raises, log why, undo it, and return None. As `whole_or_least` otherwise."""
    return whole_or_least(what, step, lambda: None)
