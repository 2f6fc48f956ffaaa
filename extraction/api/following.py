"""Following an extraction: its events, and at their end the extraction itself."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

from conversations.content.transcript import Batch
from conversations.database import persistently
from conversations.follow import follow
from conversations.models import User
from extraction.api.representation import shown
from extraction.models import Extraction
from extraction.services.transcripts import TABLES


class Extractions:
    """Extractions as followed work, over HTTP and the WebSocket."""

    def find(self, user: User, id: uuid.UUID) -> Extraction:
        """Return the user's extraction with an id. Raises NotFound."""
        return Extraction.objects.get_visible(user, id)

    async def follow(self, id: uuid.UUID, after: int, beat: float | None = None) -> AsyncIterator[Batch | None]:
        """Yield the events after a position, to the end; the last one has the extraction in its present state."""
        async for batch in follow(id, after, beat=beat, kind=TABLES.kind):
            if batch is None or not batch.last:
                yield batch
            else:
                extraction = await persistently(shown, id)
                *events, end = batch.events
                whole: Any = {**extraction, **end}
                yield replace(batch, events=[*events, whole], _forms={})
