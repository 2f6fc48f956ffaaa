"""The serializer field of content, of messages and of extractions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from typing_extensions import Unpack

from conversations.api.serializer_fields import FieldOptions, Json
from conversations.content import block_checks
from conversations.contract import input_blocks


class ContentField(Json):
    """A string or Claude's content blocks, as blocks."""

    def __init__(
        self,
        *,
        shape: object = input_blocks.ContentParam,
        documents: Iterable[str] = block_checks.PDF_ONLY,
        **options: Unpack[FieldOptions],
    ) -> None:
        """Take the media types that documents in base64 may have, and the shape that says so."""
        super().__init__(shape=shape, **options)
        self._documents = documents

    def to_internal_value(self, data: Any) -> Any:
        """Return the content as checked blocks. Raises InvalidRequest or UnsupportedMediaType."""
        return block_checks.checked_blocks(data, documents=self._documents)
