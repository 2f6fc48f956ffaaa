"""Beginning a turn where it is asked for: stored and running in one step, if this process runs turns."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from conversations.database import again_where_contended, persistently
from conversations.database_faults import DATABASE_ERRORS
from conversations.models import Turn, User
from conversations.running.engine import Engine, running_engine
from conversations.running.turn_work import TurnWork
from conversations.running.work_runner import in_background
from conversations.services.accounts.credentials import Credential
from conversations.services.turns import turn_run
from conversations.services.turns.turn_begin import Asker, Created

Create = Callable[[Asker], Created]


def start_turn(user: User, credential: Credential, key: str | None, digest: str, create: Create) -> Created:
    """Create a turn, if the credential is valid, and where this process runs turns, let it run.

    For synchronous code. A new turn that is queued is the caller's to hand to those processes that run turns. Raises
    what `create` raises.
    """
    here = running_engine()
    if here is None or not here.takes_work:
        asker = Asker(user, key, digest, credential=credential)
        return again_where_contended(lambda: create(asker))
    who = Asker(user, key, digest, holder=here.process, credential=credential)
    runner = here.runner("turn")
    runner.expect(who.turn_id)
    try:
        created = again_where_contended(lambda: create(who))
    except BaseException as error:
        runner.forget(who.turn_id)
        if isinstance(error, DATABASE_ERRORS):
            # The commit may have gone through, and only the answer to it been lost.
            here.loop.call_soon_threadsafe(in_background, _take_up(here, who.turn_id))
        raise
    if created.is_new and created.turn.status == Turn.RUNNING:
        here.loop.call_soon_threadsafe(_run, here, created.turn)
    else:
        runner.forget(who.turn_id)
    return created


def _run(here: Engine, turn: Turn) -> None:
    here.runner("turn").start(turn.pk, TurnWork(here).begun(turn))


async def _take_up(here: Engine, turn_id: uuid.UUID) -> None:
    """Run a turn that may have been stored as running here, without anybody knowing."""
    if await persistently(turn_run.requeue, turn_id=turn_id, holder=here.process):
        await here.run("turn", turn_id)
