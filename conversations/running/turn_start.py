"""Beginning a turn for a request: storing and running it in one step, if this process runs turns."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial

from django.conf import settings

from conversations.database import again_where_contended, in_threads, persistently
from conversations.database_faults import DATABASE_ERRORS
from conversations.models import Turn, User
from conversations.running.engine import Engine, engine
from conversations.running.turn_work import TurnWork
from conversations.running.work_runner import in_background, shielded
from conversations.services.accounts.credentials import Credential
from conversations.services.turns import turn_run
from conversations.services.turns.plain_turn_begin import PlainBeginning
from conversations.services.turns.turn_begin import Asker, Created

Create = Callable[[Asker], Created]


async def start_turn(
    user: User, credential: Credential, key: str | None, digest: str, create: Create, plain: PlainBeginning | None
) -> Created:
    """Create a turn, if the credential is valid, and have it run: here, or on a process that runs turns.

    `plain` is the turn in the form of a plain one, if it is. Raise the errors of `create`.
    """
    here = await engine()
    if not here.takes_work:
        created = await _created(create, Asker(user, key, digest, credential=credential))
        if created.is_new and created.turn.status == Turn.QUEUED:
            await here.run("turn", created.turn.pk)
        return created
    who = Asker(user, key, digest, holder=here.process, credential=credential)
    # Even if the caller is cancelled: a turn that is stored as running here has to run.
    return await shielded(_started(here, who, create, plain))


async def _started(here: Engine, who: Asker, create: Create, plain: PlainBeginning | None) -> Created:
    runner = here.runner("turn")
    runner.expect(who.turn_id)
    try:
        created = await here.beginnings.begin(who, plain) if plain else None
        created = created or await _created(create, who)
    except BaseException as error:
        runner.forget(who.turn_id)
        if isinstance(error, DATABASE_ERRORS):
            # The commit may have succeeded, with only its response lost.
            in_background(_take_up(here, who.turn_id))
        raise
    if created.is_new and created.turn.status == Turn.RUNNING:
        runner.start(created.turn.pk, TurnWork(here).begun(created.turn))
    else:
        runner.forget(who.turn_id)
    return created


async def _created(create: Create, who: Asker) -> Created:
    """Create a turn in a transaction of its own."""
    return await in_threads(_threads(), again_where_contended, partial(create, who))


@cache
def _threads() -> ThreadPoolExecutor:
    # A separate thread pool: turns that wait for locks must not occupy the threads in which other users' turns end.
    return ThreadPoolExecutor(max_workers=settings.BEGINNINGS_AT_ONCE, thread_name_prefix="beginning")


async def _take_up(here: Engine, turn_id: uuid.UUID) -> None:
    """Run a turn that may have been stored as running here although its caller got an error."""
    if await persistently(turn_run.requeue, turn_id=turn_id, holder=here.process):
        await here.run("turn", turn_id)
