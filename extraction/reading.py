"""Documents and evidence from task processes: what files and quotes can make expensive is done there."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from conversations.content.block_checks import Block
from extraction.documents.sources import Source
from extraction.documents.splitting import Part
from extraction.evidence.finding import Claim, Evidence


async def read(owner: UUID, blocks: Sequence[Block]) -> list[Source]:
    """Return the source of each content block, in order. The blocks are as `attachments.take_in` gives them.

    Raises UnsupportedMediaType for a file that is encrypted, broken, too long or of another kind than those that are
    read, with the block's place and the reason.
    """
    raise NotImplementedError


async def shown(owner: UUID, blocks: Sequence[Block], sources: Sequence[Source], part: Part) -> list[Block]:
    """Return a part of the content as blocks that Claude takes, with the files' bytes in them."""
    raise NotImplementedError


async def located(
    owner: UUID, sources: Sequence[Source], claims: Sequence[Claim], part: Part | None = None
) -> list[Evidence]:
    """Return the evidence for each claim (extraction/evidence/finding.py), found in a task process."""
    raise NotImplementedError
