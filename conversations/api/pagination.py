from __future__ import annotations

import uuid
from typing import Any

from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

from conversations.errors import NotFound
from conversations.models import Conversation, Message
from conversations.services import paths


class Pages(CursorPagination):
    """Cursor pages: their cost does not grow with their number."""

    page_size = 50
    max_page_size = 200
    page_size_query_param = "page_size"
    ordering = "-id"

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Return the JSON Schema of a page whose results have this schema."""
        link = {"type": ["string", "null"], "format": "uri", "description": "Null where there are no more."}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": link, "previous": link, "results": schema},
        }


class PathPages(Pages):
    """Pages of a path through the tree: it never changes above its leaf, so an offset from the root is a cursor."""

    def paginate_path(self, conversation: Conversation, leaf: uuid.UUID | None, request: Request) -> list[Message]:
        """The messages of the page that the request asks for."""
        self.path_url = request.build_absolute_uri()
        self.leaf = leaf
        self.size = self.get_page_size(request) or self.page_size
        self.skip = self._skip(request.query_params.get(self.cursor_query_param, ""))
        found = paths.page(conversation.pk, leaf, self.skip, self.size + 1)
        self.has_next = len(found) > self.size
        return found[: self.size]

    def _skip(self, cursor: str) -> int:
        if not cursor:
            return 0
        if not cursor.isascii() or not cursor.isdigit() or len(cursor) > 9:
            raise NotFound("There is no such page.")
        return int(cursor)

    def get_next_link(self) -> str | None:
        """The newer messages."""
        return self._link(self.skip + self.size) if self.has_next else None

    def get_previous_link(self) -> str | None:
        """The older messages."""
        return self._link(max(0, self.skip - self.size)) if self.skip else None

    def _link(self, skip: int) -> str:
        # The leaf is named, so that a page stays what it is when the conversation goes on.
        url = replace_query_param(self.path_url, "leaf", str(self.leaf))
        return str(replace_query_param(url, self.cursor_query_param, str(skip)))
