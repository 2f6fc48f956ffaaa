"""Ends what is open in this process with a credential, soon after the credential is revoked anywhere."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections import defaultdict
from functools import partial

from conversations.database import in_database
from conversations.database_faults import DATABASE_ERRORS
from conversations.services.credentials import Credential, revoked
from conversations.streaming.wakes import wait_for_news

logger = logging.getLogger(__name__)

LOOK = 2.0  # seconds between looks: for what expires, and in case that a notification was lost


class CredentialWatch:
    """The credentials with which sockets and streams are open in this process."""

    def __init__(self) -> None:
        self._open: defaultdict[Credential, set[asyncio.Future[None]]] = defaultdict(set)
        self._look = asyncio.Event()

    def watch(self, credential: Credential) -> asyncio.Future[None]:
        """Return a future that is done when the credential is revoked. Cancel it when nothing is open with it."""
        future = asyncio.get_running_loop().create_future()
        self._open[credential].add(future)
        future.add_done_callback(partial(self._forget, credential))
        return future

    def _forget(self, credential: Credential, future: asyncio.Future[None]) -> None:
        self._open[credential].discard(future)
        if not self._open[credential]:
            del self._open[credential]

    def look(self, users: list[uuid.UUID]) -> None:
        """Look now, if what was changed of these users, or of some session, can concern anything here."""
        if not users or any(credential.user in users for credential in self._open):
            self._look.set()

    async def serve(self) -> None:
        """Look for revoked credentials, for ever: every `LOOK` seconds, and when there is news."""
        while True:
            await wait_for_news(self._look, LOOK)
            self._look.clear()
            if not self._open:
                continue
            try:
                for credential in await in_database(revoked, list(self._open)):
                    self._end(credential)
            except DATABASE_ERRORS as error:
                logger.warning("Whose access has ended can't be told: %s", error)

    def _end(self, credential: Credential) -> None:
        for future in list(self._open.get(credential, ())):
            if not future.done():
                future.set_result(None)
