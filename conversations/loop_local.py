"""Objects that belong to an event loop, such as connections, which can't be used in another loop."""

from __future__ import annotations

import asyncio
from typing import Generic, TypeVar, cast

from django.apps import apps

T = TypeVar("T")


class LoopLocal(Generic[T]):
    """A variable with a value for each event loop. The app keeps it (`ConversationsConfig.loops`) as long as the loop.

    An instance is the key of its own values.
    """

    def get(self) -> T | None:
        """Return the value of the running loop; None if there is none."""
        return cast("T | None", self._kept().get(self))

    def set(self, thing: T) -> T:
        """Set the value of the running loop, and return it."""
        self._kept()[self] = thing
        return thing

    def pop(self) -> T | None:
        """Remove and return the value of the running loop; None if there is none."""
        return cast("T | None", self._kept().pop(self, None))

    def all(self) -> list[T]:
        """Return the values of all loops of the process. For synchronous code, which has no running loop."""
        return [cast(T, kept[self]) for kept in list(_loops().values()) if self in kept]

    def _kept(self) -> dict[object, object]:
        return _loops().setdefault(asyncio.get_running_loop(), {})


def _loops() -> dict[asyncio.AbstractEventLoop, dict[object, object]]:
    return cast("dict[asyncio.AbstractEventLoop, dict[object, object]]", apps.get_app_config("conversations").loops)  # type: ignore[attr-defined]
