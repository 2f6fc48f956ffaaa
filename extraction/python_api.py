"""The Python API: extracting from code in the same project, without HTTP."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, overload

from django.conf import settings
from pydantic import BaseModel
from typing_extensions import TypedDict, Unpack

from conversations.claude import parameters
from conversations.content import block_checks
from conversations.contract.wire import Block
from conversations.database import in_database, persistently
from conversations.errors import ClaudeError
from conversations.follow import follow
from conversations.json_types import JSONSchema
from conversations.models import User
from conversations.running.engine import engine, running_engine
from conversations.services.billing import ledger
from conversations.services.files import attachments
from extraction import checks
from extraction.documents.sources import READ
from extraction.models import Extraction, SchemaVersion
from extraction.services import extractions, schemas
from extraction.services.extractions import Spec, has_text
from extraction.services.schemas import NewSchema
from extraction.services.transcripts import TABLES

ModelT = TypeVar("ModelT", bound=BaseModel)
DataT = TypeVar("DataT")
T = TypeVar("T")


@dataclass(frozen=True)
class Extracted(Generic[DataT]):
    """The result of an extraction."""

    extraction: Extraction
    """The row, with status, problems, evidence and attempts."""
    data: DataT | None
    """The data, as an instance of the Pydantic model if one was given; None if no data satisfies the schema."""
    cost: str | None
    """US dollars; None if a price is unknown."""


class Options(TypedDict, total=False):
    """Options of an extraction; the defaults are those of `aextract`."""

    model: str | None
    max_tokens: int | None
    max_attempts: int
    evidence: bool | None
    metadata: dict[str, object] | None


@overload
def extract(
    content: str | list[Block], schema: type[ModelT], *, user: User, **options: Unpack[Options]
) -> Extracted[ModelT]: ...
@overload
def extract(
    content: str | list[Block], schema: str | JSONSchema, *, user: User, **options: Unpack[Options]
) -> Extracted[Any]: ...
def extract(
    content: str | list[Block], schema: str | JSONSchema | type[BaseModel], *, user: User, **options: Unpack[Options]
) -> Extracted[Any]:
    """Extract the data that a schema describes from content, and return the result. For synchronous code.

    If the process serves, the extraction runs in its event loop, else in one of its own. Arguments as for `aextract`.
    """
    work = aextract(content, schema, user=user, **options)
    here = running_engine()
    if here is not None:
        return asyncio.run_coroutine_threadsafe(work, here.loop).result()
    return asyncio.run(_by_itself(work))


async def aextract(
    content: str | list[Block],
    schema: str | JSONSchema | type[BaseModel],
    *,
    user: User,
    model: str | None = None,
    max_tokens: int | None = None,
    max_attempts: int = 2,
    evidence: bool | None = None,
    metadata: dict[str, object] | None = None,
) -> Extracted[Any]:
    """Extract the data that a schema describes from content, and return the result.

    `content` is text or Claude's content blocks; `schema` a JSON Schema, a Pydantic model, or the id, the name or
    `name@version` of one of the user's schemas. The user pays for it, and it is stored like one over HTTP. Raise
    InvalidRequest, UnsupportedMediaType, NotFound, and ClaudeError if it failed.
    """
    settled = model or settings.COLLOQUY_DEFAULT_MODEL
    parameters.check_parameters({"model": settled, "max_tokens": max_tokens or 1})
    blocks = block_checks.checked_blocks(content, documents=READ)
    version = await _version(user, schema)
    stored = await in_database(attachments.store_sources, owner=user, blocks=blocks, documents=READ)
    spec = Spec(
        schema=version,
        content=stored,
        model=settled,
        max_tokens=max_tokens,
        max_attempts=max_attempts,
        wants_evidence=has_text(stored) if evidence is None else evidence,
        metadata=metadata or {},
    )
    extraction, _ = await in_database(extractions.create, user=user, spec=spec)
    (await engine()).runner(TABLES.kind).start(extraction.pk)
    async for _batch in follow(extraction.pk, kind=TABLES.kind):
        pass
    return await persistently(_extracted, extraction.pk, schema)


async def _by_itself(work: Coroutine[object, None, T]) -> T:
    """Run the work in an event loop of its own."""
    here = await engine(takes_work=False)
    try:
        return await work
    finally:
        await here.stop()


async def _version(user: User, schema: str | JSONSchema | type[BaseModel]) -> SchemaVersion:
    if isinstance(schema, str):
        return await in_database(schemas.find, user=user, named=schema)
    json_schema = schema if isinstance(schema, dict) else schema.model_json_schema()
    found = await checks.checked(user.pk, json_schema)
    return await persistently(schemas.keep_nameless, user=user, new=NewSchema(json_schema, found.native, found.notes))


def _extracted(id: uuid.UUID, schema: object) -> Extracted[Any]:
    rows = Extraction.objects.select_related("schema").prefetch_related("attempts__answers__usage__corrections")
    extraction = rows.get(pk=id)
    if extraction.error:
        raise ClaudeError.of_kept(extraction.error, extraction=str(id))
    data = extraction.data if extraction.status == Extraction.Status.SUCCEEDED else None
    if data is not None and isinstance(schema, type) and issubclass(schema, BaseModel):
        data = schema.model_validate(data)
    return Extracted(extraction, data, ledger.total_cost(extraction.ledger_rows))
