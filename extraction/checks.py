"""Tasks whose cost a user's schema decides, run in child processes (extraction/check_process.py)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.conf import settings

from conversations.contract.extraction_types import Problem
from conversations.errors import InvalidRequest
from conversations.exact_json import dumps, loads
from conversations.json_types import JSON, JSONObject
from extraction.documents.merging import Found, Merged
from extraction.evidence.finding import Claim
from extraction.extracting.plan import Group, Schema
from extraction.processes import GivenUp, Pool, Pools

SCHEMA = "schema"
"""The name of the checked schema in messages of extraction/schemas."""
SIMPLER = "Simpler patterns, fewer references or less data would do."
UNKNOWN_LEAVES = 100
"""The number of values that is assumed for a schema whose values can't be counted."""

POOLS = Pools(
    lambda: Pool(
        "extraction.check_process",
        most=settings.COLLOQUY_CHECK_PROCESSES,
        seconds=settings.COLLOQUY_CHECK_TIMEOUT,
        megabytes=settings.COLLOQUY_CHECK_MEMORY,
    )
)
close = POOLS.close


@dataclass(frozen=True)
class Checked:
    """The facts about a valid schema."""

    native: bool
    """Whether structured outputs can express it in one request."""
    notes: list[str]
    """The constraints that structured outputs don't enforce, and the platform validates."""


@dataclass(frozen=True)
class Judgement:
    """The result of an answer: its data, and the problems, of which there are none if it satisfies the schema."""

    data: JSON
    problems: list[Problem] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    """The quote for each value of the data, if evidence was requested."""
    final: bool = False
    """Whether another answer would fail, too."""


@dataclass(frozen=True)
class Joined:
    """The text of several answers together."""

    text: str
    complete: bool
    """Whether it is one complete JSON object or array."""
    grown: bool
    """Whether the last answer added anything."""


async def checked(owner: UUID, schema: Schema, examples: Sequence[JSONObject] = (), *, field: str = SCHEMA) -> Checked:
    """Validate a schema, which is a field of a request, and return the facts about it.

    Raises InvalidRequest, with the place, for what is no JSON Schema of its own or too costly to tell, and for an
    example that does not satisfy it.
    """
    try:
        reply = loads(await _reply(owner, "checked", schema=schema, examples=list(examples)))
    except GivenUp as error:
        raise InvalidRequest(f"{field}: {error} {SIMPLER}", details={field: str(error)}) from None
    if "refused" in reply:
        raise _refused(field, **reply["refused"])
    return Checked(reply["result"]["grammar"] is not None, reply["result"]["notes"])


def _refused(field: str, message: str, details: dict[str, str]) -> InvalidRequest:
    """Return the error of a schema with the name of its field in the request."""

    def renamed(text: str) -> str:
        return field + text.removeprefix(SCHEMA) if text.startswith(SCHEMA) else text

    return InvalidRequest(renamed(message), details={renamed(place): each for place, each in details.items()})


async def groups(owner: UUID, schema: Schema, *, evidence: bool, partial: bool) -> list[Group]:
    """Return the groups of fields of an extraction's requests (extraction/schemas/grouping.py)."""
    try:
        found = loads(await _reply(owner, "groups", schema=schema, evidence=evidence, partial=partial))["result"]
    except GivenUp:
        return [Group(schema, None, UNKNOWN_LEAVES, lists=True)]
    return [Group(**each) for each in found]


async def judged(owner: UUID, schema: Schema, text: str, *, evidence: bool = False) -> Judgement:
    """Return the first JSON value of an answer that satisfies the schema, else the largest with its problems."""
    try:
        result = loads(await _reply(owner, "judged", schema=schema, text=text, evidence=evidence))["result"]
    except GivenUp as error:
        problem: Problem = {
            "path": "",
            "message": f"The answer could not be checked against the schema. {error} {SIMPLER}",
        }
        unchecked = await judged(owner, {}, text, evidence=evidence) if schema else Judgement(None)
        return Judgement(unchecked.data, [problem], unchecked.claims, final=True)
    return Judgement(result["data"], result["problems"], [Claim(**each) for each in result["claims"]])


async def joined(owner: UUID, texts: Sequence[str]) -> Joined:
    """Return the text of an answer with its continuations."""
    try:
        return Joined(**loads(await _reply(owner, "joined", texts=list(texts)))["result"])
    except GivenUp:
        return Joined("".join(texts), complete=False, grown=False)


async def merged(owner: UUID, parts: Sequence[Found]) -> Merged:
    """Return the merged data of a document's parts (extraction/documents/merging.py)."""
    told = [{"data": each.data, "places": each.places, "overlaps": list(each.overlaps.items())} for each in parts]
    try:
        return Merged(**loads(await _reply(owner, "merged", parts=told))["result"])
    except GivenUp as error:
        problem: Problem = {"path": "", "message": f"What the parts of the document gave could not be joined. {error}"}
        return Merged(parts[0].data, [problem], [{}] * len(parts))


async def problems(owner: UUID, schema: Schema, data: JSON) -> list[Problem]:
    """Return the problems of data from several answers, by the whole schema."""
    try:
        found: list[Problem] = loads(await _reply(owner, "problems", schema=schema, data=data))["result"]
    except GivenUp as error:
        return [{"path": "", "message": f"The data could not be checked against the schema. {error} {SIMPLER}"}]
    return found


async def _reply(owner: UUID, task: str, **arguments: object) -> str:
    return await POOLS.here().reply_to(owner, dumps({"task": task, "arguments": arguments}))
