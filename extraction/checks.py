"""What a user's schema decides the cost of, done in processes that can be given up (extraction/check_process.py)."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from django.conf import settings

from conversations.errors import InvalidRequest
from conversations.exact_json import dumps, loads
from extraction.processes import GivenUp, Pool

Schema = dict[str, Any]

SIMPLER = "Simpler patterns, fewer references or less data would do."

_pools: WeakKeyDictionary[asyncio.AbstractEventLoop, Pool] = WeakKeyDictionary()


@dataclass(frozen=True)
class Judgement:
    """What an answer comes to: its data, and what is wrong with that; nothing is, where it satisfies the schema."""

    data: Any
    problems: list[dict[str, str]]
    final: bool = False
    """Whether another answer would come to nothing either."""


async def check(owner: UUID, schema: Any) -> None:
    """Refuse what is not a JSON Schema of its own, or too costly to tell. Raises InvalidRequest, with the place."""
    try:
        reply = json.loads(await _reply(owner, "check", schema=schema))
    except GivenUp as error:
        raise InvalidRequest(f"schema: {error} {SIMPLER}", details={"schema": str(error)}) from None
    if "refused" in reply:
        raise InvalidRequest(reply["refused"]["message"], details=reply["refused"]["details"])


async def native(owner: UUID, schema: Schema) -> Schema | None:
    """Return the schema as structured outputs take it, or None where they can't express it."""
    try:
        fitted: Schema | None = json.loads(await _reply(owner, "native", schema=schema))["result"]
    except GivenUp:
        return None
    return fitted


async def judged(owner: UUID, schema: Schema, text: str) -> Judgement:
    """Return the first JSON value of an answer that satisfies the schema, else the largest with its problems."""
    try:
        result = loads(await _reply(owner, "judged", schema=schema, text=text))["result"]
    except GivenUp as error:
        problem = {"path": "", "message": f"The answer could not be checked against the schema. {error} {SIMPLER}"}
        unchecked = await judged(owner, {}, text) if schema else Judgement(None, [])
        return Judgement(unchecked.data, [problem], final=True)
    return Judgement(**result)


async def close() -> None:
    """End the processes of the running event loop."""
    pool = _pools.pop(asyncio.get_running_loop(), None)
    if pool is not None:
        await pool.close()


async def _reply(owner: UUID, task: str, **arguments: Any) -> str:
    loop = asyncio.get_running_loop()
    if loop not in _pools:
        _pools[loop] = Pool(
            "extraction.check_process",
            most=settings.COLLOQUY_CHECK_PROCESSES,
            seconds=settings.COLLOQUY_CHECK_TIMEOUT,
            megabytes=settings.COLLOQUY_CHECK_MEMORY,
        )
    return await _pools[loop].reply_to(owner, dumps({"task": task, "arguments": arguments}))
