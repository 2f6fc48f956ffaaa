"""Things of which each event loop has one of its own, such as connections, which can't be used from another loop."""

from __future__ import annotations

import asyncio
from typing import Generic, TypeVar, cast

from django.apps import apps

T = TypeVar("T")


class LoopLocal(Generic[T]):
    """One thing for each event loop. The app keeps it (`ConversationsConfig.loops`) for as long as the loop is there.

    An instance is the key under which it is kept.
    """

    def get(self) -> T | None:
        """Return the thing of the running loop; None where it has none yet."""
        return cast("T | None", self._kept().get(self))

    def set(self, thing: T) -> T:
        """Keep a thing for the running loop, and return it."""
        self._kept()[self] = thing
        return thing

    def pop(self) -> T | None:
        """Return the thing of the running loop, which has none any more; None where it has none."""
        return cast("T | None", self._kept().pop(self, None))

    def all(self) -> list[T]:
        """Return the things of all loops of the process. For synchronous code, which has no running loop."""
        return [cast(T, kept[self]) for kept in list(_loops().values()) if self in kept]

    def _kept(self) -> dict[object, object]:
        return _loops().setdefault(asyncio.get_running_loop(), {})


def _loops() -> dict[asyncio.AbstractEventLoop, dict[object, object]]:
    return cast("dict[asyncio.AbstractEventLoop, dict[object, object]]", apps.get_app_config("conversations").loops)  # type: ignore[attr-defined]
