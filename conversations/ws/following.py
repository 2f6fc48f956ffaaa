"""A socket's subscriptions: each turn, extraction and conversation in a task of its own."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import suppress

from conversations.content.transcript import Batch, encode
from conversations.errors import ColloquyError, NotFound, RateLimited
from conversations.follow import follow
from conversations.running.engine import engine
from conversations.services.accounts.shares import NOT_SHARED_ANY_MORE, Membership
from conversations.ws.watching import new_turns

logger = logging.getLogger(__name__)

AT_ONCE = 200

Key = tuple[str, uuid.UUID]
"""The kind and the id of a followed object."""


class Gone(Exception):
    """The client does not read any more."""


class Following:
    """The tasks that send one socket the events of its subscriptions."""

    def __init__(self, send: Callable[[str], Awaitable[None]]) -> None:
        """Take a function that sends the socket a frame, and raises Gone if the client does not read."""
        self._send = send
        self._tasks: dict[Key, asyncio.Task[None]] = {}
        self._closed = False
        self.beginning = asyncio.Lock()
        """Held while the socket begins a turn: none of its events may come before `turn.created`."""
        self._begun: set[uuid.UUID] = set()

    def check_room(self) -> None:
        """Refuse more than `AT_ONCE` subscriptions. Raise RateLimited."""
        if len(self._tasks) >= AT_ONCE:
            raise RateLimited(
                f"A socket follows at most {AT_ONCE} turns, conversations and extractions: unfollow some."
            )

    def turn(self, turn: uuid.UUID, after: int, member: Membership | None) -> None:
        """Follow a turn after a position; with a membership if it is in another user's conversation."""
        self.batches(("turn", turn), follow(turn, after), member)

    def begun(self, turn: uuid.UUID, member: Membership | None) -> None:
        """Follow a turn that the socket has begun, once, even if the socket follows its conversation. As `turn`."""
        self._begun.add(turn)
        self.turn(turn, 0, member)

    async def conversation(self, by: Membership, member: Membership | None) -> None:
        """Follow every turn that begins in a conversation after this call has returned, each as `turn`.

        `by` is the watched membership, which an owner has as well: theirs ends with the conversation.
        """
        looking = asyncio.Event()
        relay = self._relay_turns(by.conversation, member, looking.set)
        following = self._in_background(("conversation", by.conversation), relay, by)
        looked = asyncio.ensure_future(looking.wait())
        await asyncio.wait((following, looked), return_when=asyncio.FIRST_COMPLETED)
        looked.cancel()

    def batches(self, key: Key, batches: AsyncIterator[Batch | None], member: Membership | None = None) -> None:
        """Follow an iterator of batches. As `turn`."""
        self._in_background(key, self._relay(batches), member)

    def end(self, key: Key) -> bool:
        """End a subscription; return whether there was one."""
        task = self._tasks.pop(key, None)
        return task is not None and task.cancel()

    def end_all(self) -> None:
        """End all subscriptions, and accept no new ones."""
        self._closed = True
        for task in self._tasks.values():
            if task is not asyncio.current_task():
                task.cancel()

    def _in_background(
        self, key: Key, relay: Coroutine[object, None, None], member: Membership | None
    ) -> asyncio.Task[None]:
        """Follow in a task, which is returned: a handler that streams would block later commands."""
        self.end(key)
        task = self._tasks[key] = asyncio.create_task(self._while_member(key, relay, member) if member else relay)
        task.add_done_callback(lambda done: self._relayed(key, done))
        return task

    def _relayed(self, key: Key, task: asyncio.Task[None]) -> None:
        if self._tasks.get(key) is task:
            del self._tasks[key]
        if not task.cancelled() and task.exception() and not self._closed:
            logger.error("Relaying %s %s failed", *key, exc_info=task.exception())

    async def _while_member(self, key: Key, relay: Coroutine[object, None, None], member: Membership) -> None:
        """Relay as long as the user may read the conversation; then send that it is not shared any more, or deleted."""
        relaying = asyncio.create_task(relay)
        ended = (await engine()).memberships.watch(member)
        try:
            await asyncio.wait((relaying, ended), return_when=asyncio.FIRST_COMPLETED)
            if relaying.done():
                return relaying.result()
            relaying.cancel()
            await asyncio.gather(relaying, return_exceptions=True)
            await self._tell(NotFound(NOT_SHARED_ANY_MORE, details={key[0]: str(key[1])}))
        finally:
            ended.cancel()
            relaying.cancel()

    async def _tell(self, error: ColloquyError) -> None:
        """Send the reason why a subscription ends."""
        with suppress(Gone):
            await self._send(encode({**error.payload(), "ref": None}))

    async def _relay(self, batches: AsyncIterator[Batch | None]) -> None:
        try:
            async for batch in batches:
                for frame in batch.frames if batch else ():
                    await self._send(frame.data)
        except Gone:
            return
        except ColloquyError as error:
            await self._tell(error)

    async def _relay_turns(
        self, conversation: uuid.UUID, member: Membership | None, looking: Callable[[], object]
    ) -> None:
        async for turn in new_turns(conversation, looking):
            async with self.beginning:
                is_followed = turn in self._begun or ("turn", turn) in self._tasks
            if not is_followed:
                self.turn(turn, 0, member)
