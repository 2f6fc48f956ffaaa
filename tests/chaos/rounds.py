"""One round of chaos: its plan, its users and its faults."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from conversations.content.folding import fold
from conversations.database import persistently
from conversations.models import Conversation, Deletion, User
from conversations.sandbox.server import Sandbox
from conversations.services.accounts import accounts
from conversations.services.deletion import account_deletion
from tests import scripted
from tests.chaos.checker import violations
from tests.chaos.cluster import FAULTS, Cluster
from tests.malformed import CASES
from tests.resuming import Client, Reader, Violation

USERS = 12
TOOLS = [{"type": "platform", "name": "add"}, {"name": "look", "input_schema": {"type": "object"}}]
CALLS = ("", "", 'tool=add{"first": 1}; then; ', "tool=look; then; ", 'tool=look; tool=add{"first": 2}; then; ')
MALFORMED = 0.2  # share of turns that get a malformed answer
LONGEST = 120.0  # seconds until everything has ended, a killed process's turns included, on a busy machine


@dataclass
class Round:
    """The record of a round."""

    dice: random.Random
    readers: list[Reader] = field(default_factory=list)
    keys: dict[str, set[str]] = field(default_factory=dict)
    conversations: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


async def run_round(seed: str, cluster: Cluster, sandbox: Sandbox) -> Round:
    """Run the users' conversations while faults are injected, wait for their end, and check the invariants."""
    round = Round(random.Random(seed))
    sandbox.requests.clear()
    users = [await persistently(_user, cluster, round) for _ in range(USERS)]
    async with aiohttp.ClientSession() as session:
        clients = [
            Client(session, cluster.urls, token, random.Random(f"{seed} {i}")) for i, (_, token) in enumerate(users)
        ]
        talks = [
            _talk(round, client, conversation, random.Random(f"{seed} talk {i}"))
            for i, (client, (conversation, _)) in enumerate(zip(clients, users, strict=True))
        ]
        try:
            async with asyncio.timeout(LONGEST), asyncio.TaskGroup() as group:
                group.create_task(_faults(round, cluster))
                for talk in talks:
                    group.create_task(talk)
        except TimeoutError:
            round.wrong.append(f"it has not ended after {LONGEST:.0f} seconds")
        except BaseExceptionGroup as errors:
            round.wrong += [repr(error) for error in errors.exceptions]
        for client in clients:
            round.wrong += client.broken
    round.wrong += await persistently(_look, round, sandbox)
    round.wrong += await persistently(_delete, round)
    round.counts["turns"] = len(round.keys)
    round.counts["resumes"] = sum(reader.resumes for reader in round.readers)
    return round


def _look(round: Round, sandbox: Sandbox) -> list[str]:
    return list(violations(round.conversations, round.readers, round.keys, list(sandbox.requests)))


def _delete(round: Round) -> list[str]:
    """Delete the round's users with all their data; return the errors."""
    wrong = []
    for user in User.objects.filter(conversations__in=[uuid.UUID(each) for each in round.conversations]):
        try:
            account_deletion.delete_account(user=user, cause=Deletion.Cause.STAFF)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a violation
            wrong.append(f"user {user.pk} can't be deleted: {error!r}")
    return wrong


def _user(cluster: Cluster, round: Round) -> tuple[str, str]:
    user = User.objects.create(username=f"chaos-{uuid.uuid4().hex[:12]}")
    conversation = Conversation(owner=user)
    conversation.settings = {"system": str(conversation.pk), "max_tokens": 4000, "tools": TOOLS}
    conversation.save()
    round.conversations.append(str(conversation.pk))
    return str(conversation.pk), accounts.issue_token(user=user)[1]


async def _faults(round: Round, cluster: Cluster) -> None:
    for _ in range(round.dice.randint(1, 3)):
        await asyncio.sleep(round.dice.uniform(0.2, 1.5))
        await cluster.strike(round.dice.choice(FAULTS), round.dice)


async def _talk(round: Round, client: Client, conversation: str, dice: random.Random) -> None:
    await asyncio.sleep(dice.uniform(0, 1))
    for _ in range(dice.randint(1, 3)):
        turn = await _ask(round, client, conversation, dice)
        ended = await _watch(round, client, turn, dice)
        if ended["status"] in ("cancelled", "interrupted") and dice.random() < 0.5:
            await _watch(round, client, await _go_on(round, client, turn), dice)


async def _ask(round: Round, client: Client, conversation: str, dice: random.Random) -> str:
    """Begin a turn with an idempotency key, perhaps by two requests at once; return its id."""
    key = uuid.uuid4().hex
    body = {"content": f"Talk. {_malformed(round, dice) if dice.random() < MALFORMED else _directive(dice)}"}
    frame = {"type": "turn.create", "conversation": conversation, "idempotency_key": key, **body}
    path = f"conversations/{conversation}/turns/"
    asks: list[Any] = [
        client.post(path, body, key) if dice.random() < 0.6 else client.over_socket(frame, "turn.created")
    ]
    if dice.random() < 0.3:  # a concurrent duplicate, over the same transport or the other one
        asks.append(client.post(path, body, key))
    for answer in await asyncio.gather(*asks):
        _told(round, key, answer)
    return next(iter(round.keys[key]))


def _directive(dice: random.Random) -> str:
    return f"[[sandbox: {dice.choice(CALLS)}words={dice.randint(5, 120)}; pace={dice.choice((0.0, 0.005, 0.02))}]]"


def _malformed(round: Round, dice: random.Random) -> str:
    """Return a prompt that is answered with a malformed stream, after which the server may send nothing more."""
    round.counts["malformed"] += 1
    return scripted.prompt(CASES[dice.choice(list(CASES))], dice.choice((0.0, 0.5, 20.0)))


async def _go_on(round: Round, client: Client, turn: str) -> str:
    key = uuid.uuid4().hex
    _told(round, key, await client.post(f"turns/{turn}/continue/", {}, key))
    return next(iter(round.keys[key]))


def _told(round: Round, key: str, answer: Any) -> None:
    body = (
        answer["turn"]
        if isinstance(answer, dict) and "turn" in answer
        else answer[1]
        if isinstance(answer, tuple)
        else answer
    )
    if "id" not in body:
        raise Violation(f"key {key} was answered {body}")
    round.keys.setdefault(key, set()).add(body["id"])


async def _watch(round: Round, client: Client, turn: str, dice: random.Random) -> Any:
    """Read a turn to its end, perhaps with several readers, perhaps stopping it; return its turn_end."""
    readers = [Reader(turn) for _ in range(dice.choice((1, 1, 2)))]
    round.readers += readers
    reads = [
        client.read(reader, cuts=[dice.uniform(0, 0.6) for _ in range(dice.randint(0, 3))], socket=dice.random() < 0.5)
        for reader in readers
    ]
    stops = [_stop(client, turn, dice)] if dice.random() < 0.25 else []
    await asyncio.gather(*reads, *stops, _use_tools(client, readers[0]))
    return readers[0].seen[-1]


async def _use_tools(client: Client, reader: Reader) -> None:
    """Submit the results of the client's tools, as soon as a reader has seen their calls."""
    done: set[str] = set()
    while not reader.done:
        await asyncio.sleep(0.05)
        calls = [block for each in fold(reader.seen) for block in each.content if each.stop_reason == "tool_use"]
        for call in calls:
            if call.get("name") == "look" and call["id"] not in done:
                results = [{"tool_use_id": call["id"], "content": "a wall"}]
                await client.post(f"turns/{reader.turn}/tool-results/", {"results": results})
                done.add(call["id"])


async def _stop(client: Client, turn: str, dice: random.Random) -> None:
    await asyncio.sleep(dice.uniform(0, 1))
    for _ in range(dice.choice((1, 2))):
        if dice.random() < 0.5:
            await client.over_socket({"type": "turn.cancel", "ref": 1, "turn": turn}, "ok")
        else:
            await client.post(f"turns/{turn}/cancel/", None)
