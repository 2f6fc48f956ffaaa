"""Pages of lists, each with a link to the next and the previous one.

Pages are found by cursor, not by number: a cursor has the value of the ordering field of the last page's last row and,
for ties, its id. So the cost of a page does not grow with its number, every unchanged row is in exactly one page, and
rows that are added or removed meanwhile move no others. A row whose field changes moves to its new place in the list:
on the way forward it may be missed if that is behind the reader, who finds it by following `previous` from the start,
or be seen again if it is ahead.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Protocol

from django.core import signing
from django.db.models import Model, Q, QuerySet
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from conversations.api.queries import query_of
from conversations.errors import InvalidRequest
from conversations.json_types import JSONSchema
from conversations.models import User
from conversations.services.list_parts import ListPart
from conversations.services.turns import message_paths
from conversations.services.turns.message_paths import PathMessage

NO_MORE = "Null if there are no more pages."
SALT = "conversations.cursor"
Way = Literal["after", "before", "upto"]
"""The rows that a cursor selects: those after its row, those before it, or those before it and the row itself."""
FORWARD: Way = "after"


class PartedList(Protocol):
    """A list that can return parts of itself, other than the rows of a query."""

    def part(self, part: ListPart) -> Sequence[object]:
        """Return the rows of a part of the list."""


class Pages(BasePagination):
    """Pagination of the rows of a query."""

    next: str | None = None
    previous: str | None = None

    def paginate_queryset(self, queryset: Any, request: Request, view: object = None) -> list[Any]:
        """Return the rows of the requested page: by `ordering`, or the newest first."""
        return self.page(queryset, query_of(request).get("ordering", "-id"), request)

    def page(self, rows: QuerySet[Model] | PartedList, ordering: str, request: Request) -> list[Any]:
        """Return a page of rows ordered by a field, which is never null, and by id.

        Raises InvalidRequest for a cursor that does not come from a page of the same ordering.
        """
        self.url, self.path, self.ordering = request.build_absolute_uri(), request.path, ordering
        query = query_of(request)
        size, cursor = query["page_size"], query.get("cursor")
        way, place = self._read(cursor) if cursor else (FORWARD, None)
        found = self._found(rows, way, place, size + 1)
        more, page = len(found) > size, found[:size]
        if way == "after":
            self.next = self._link("after", page[-1]) if more else None
            self.previous = (self._link("before", page[0]) if page else self._link("upto", place)) if place else None
            return page
        self.previous = self._link("before", page[-1]) if more else None
        self.next = self._link("after", page[0]) if page else replace_query_param(self.url, "cursor", "")
        return page[::-1]

    def _found(self, rows: QuerySet[Model] | PartedList, way: Way, place: list[str] | None, limit: int) -> list[Any]:
        """Return the rows that a cursor selects, the nearest first, at most `limit`."""
        field = self.ordering.removeprefix("-")
        descending = self.ordering.startswith("-") == (way == "after")
        if not isinstance(rows, QuerySet):
            return list(rows.part(ListPart(field, limit, descending, place, inclusive=way == "upto")))
        sign, beyond = ("-", "lt") if descending else ("", "gt")
        if place:
            value, id = place
            or_at = "e" if way == "upto" else ""
            further = Q(**{f"{field}__{beyond}": value}) | Q(**{f"id__{beyond}{or_at}": id})
            # The first condition is implied by the others; the index look-up uses it.
            rows = rows.filter(Q(**{f"{field}__{beyond}e": value}) & further)
        return list(rows.order_by(f"{sign}{field}", f"{sign}id")[:limit])

    def _read(self, cursor: str) -> tuple[Way, list[str]]:
        ordering, way, *place = read(cursor, self.path, 4)
        if ordering != self.ordering:
            raise bad_cursor()
        return way, place

    def _link(self, way: Way, at: Any) -> str:
        place = at if isinstance(at, list) else [str(getattr(at, self.ordering.removeprefix("-"))), str(at.id)]
        return replace_query_param(self.url, "cursor", signed([self.ordering, way, *place], self.path))

    def get_paginated_response(self, data: object) -> Response:
        """Return the page with its links."""
        return Response({"next": self.next, "previous": self.previous, "results": data})

    def get_paginated_response_schema(self, schema: JSONSchema) -> JSONSchema:
        """Return the JSON Schema of a page, for a schema of its results."""
        link = {"type": ["string", "null"], "format": "uri", "description": NO_MORE}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": link, "previous": link, "results": schema},
        }


class PathPages(Pages):
    """Pagination of a path through the tree, which never changes above its leaf: cursors are offsets from the root."""

    def paginate_path(self, reader: User, conversation_id: str, request: Request) -> list[PathMessage]:
        """Return the messages of the requested page.

        Raises NotFound where the conversation is not open to the reader, or has no such leaf; InvalidRequest for a bad
        cursor.
        """
        query = query_of(request)
        size, cursor = query["page_size"], query.get("cursor")
        self.path = request.path
        start, limit = read(cursor, self.path, 2) if cursor else (-size if query["last"] else 0, size)
        leaf, skip, found = message_paths.page_of_path(conversation_id, query.get("leaf"), start, limit + 1, reader)
        # The links name the leaf, so that pages stay the same when the conversation continues.
        self.url = replace_query_param(request.build_absolute_uri(), "leaf", str(leaf))
        self.next = self._at(skip + limit, size) if len(found) > limit else None
        self.previous = self._at(max(0, skip - size), min(skip, size)) if skip else None
        return found[:limit]

    def _at(self, skip: int, limit: int) -> str:
        return replace_query_param(self.url, "cursor", signed([skip, limit], self.path))


def signed(parts: Sequence[object], path: str) -> str:
    """Return a cursor for the list at a path."""
    return signing.dumps(parts, salt=SALT + path)


def read(cursor: str, path: str, length: int) -> Any:
    """Return the parts of a cursor that was made for the list at a path. Raise InvalidRequest."""
    try:
        parts = signing.loads(cursor, salt=SALT + path)
    except signing.BadSignature:
        raise bad_cursor() from None
    if len(parts) != length:
        raise bad_cursor()
    return parts


def bad_cursor() -> InvalidRequest:
    """Return the error for an invalid cursor."""
    complaint = "Must be taken from `next` or `previous` of a page of the same list."
    return InvalidRequest(f"cursor: {complaint}", details={"cursor": complaint})
