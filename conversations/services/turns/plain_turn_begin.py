"""Beginning plain turns: computed in memory, between two statements that are shared with other turns.

A turn is plain if its question is short and text only, at the conversation's active leaf, and its user has no budget.
Most turns are. All others, and those that the statements reject, are begun by `turn_begin`.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from conversations.content.transcript import encode
from conversations.database import Parameters
from conversations.models import Conversation, Turn
from conversations.services.turns.begin_statements import BeginResult, Ground, begin_values
from conversations.services.turns.turn_begin import Asker, Begun, Created, new_turn, opened

SHORT = 20_000  # characters of JSON that are worked on in the event loop without holding others up


def is_short(data: object) -> bool:
    """Return whether a turn's data are short enough for it to be plain."""
    return len(encode(data)) <= SHORT


class Draft(NamedTuple):
    """A turn that is about to be stored."""

    turn: Turn
    values: Parameters
    """What `begin_parameters` takes of it."""

    def created(self, result: BeginResult) -> Created:
        """Return the created turn, once it is committed."""
        return Created(self.turn, is_new=True, used=result.used.with_another_turn())


@dataclass(frozen=True)
class PlainBeginning:
    """A request for a turn that `begin` creates from data in memory only."""

    conversation: uuid.UUID
    begin: Callable[[Conversation], Begun]

    def draft(self, who: Asker, ground: Ground) -> Draft | None:
        """Return the turn, given the data that it depends on; None if it is not plain, or its key is known.

        Raises NotAuthenticated, NotFound, and what `begin` raises.
        """
        conversation = opened(ground)
        if ground.known or ground.budgeted or not is_short(conversation.settings):
            return None
        begun = self.begin(conversation)
        turn = new_turn(who, conversation, begun)
        values = begin_values(
            turn,
            new_message=begun.is_new,
            at_leaf=conversation.active_leaf_id,
            anywhere=not begun.at_leaf,
        )
        return Draft(turn, values)
