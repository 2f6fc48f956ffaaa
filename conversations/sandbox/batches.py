"""The sandbox's Message Batches (claude-api.md 11 and 14.2), kept in memory, and answered when they are due."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from aiohttp import web

from conversations.sandbox.directives import Directives
from conversations.sandbox.received import ID, RECEIVED
from conversations.sandbox.refused import Refused, require
from conversations.sandbox.replies import directives_in
from conversations.sandbox.request_rules import validate
from conversations.sandbox.request_text import Body
from conversations.sandbox.responder import Responder

MOST_REQUESTS = 100_000
MOST_BYTES = 256 * 1024 * 1024
CUSTOM_ID = re.compile(r"^[a-zA-Z0-9_-]{1,64}$")
EXPIRES = timedelta(hours=24)
LONGEST_PAGE = 1000
NOT_IN_BATCHES = ("stream", "speed")
AT_ONCE = 50  # items that are answered before others may use the event loop


@dataclass
class MessageBatch:
    """A batch: its items by their custom ids, and their results once it has ended."""

    id: str
    items: dict[str, Body]
    version: str
    created_at: datetime
    due: datetime
    ended_at: datetime | None = None
    cancelled_at: datetime | None = None
    results: list[Body] = field(default_factory=list)

    def shown(self, url: str) -> Body:
        """Return the batch in the API's format; `url` is the server's."""
        counts = Counter(row["result"]["type"] for row in self.results)
        kinds = ("succeeded", "errored", "canceled", "expired")
        processing = 0 if self.ended_at else len(self.items)
        status = "ended" if self.ended_at else "canceling" if self.cancelled_at else "in_progress"
        return {
            "id": self.id,
            "type": "message_batch",
            "processing_status": status,
            "request_counts": {"processing": processing, **{kind: counts[kind] for kind in kinds}},
            "created_at": self.created_at.isoformat(),
            "expires_at": (self.created_at + EXPIRES).isoformat(),
            "ended_at": self.ended_at and self.ended_at.isoformat(),
            "cancel_initiated_at": self.cancelled_at and self.cancelled_at.isoformat(),
            "archived_at": None,
            "results_url": f"{url}/v1/messages/batches/{self.id}/results" if self.ended_at else None,
        }


class Batches:
    """The endpoints under `/v1/messages/batches`."""

    def __init__(self, responder: Responder, received: Callable[[web.Request], Awaitable[tuple[Body, str]]]) -> None:
        """Take functions that answer the items, and that parse a request's body."""
        self._responder = responder
        self._received = received
        self._batches: dict[str, MessageBatch] = {}

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Register the endpoints of batches with the server."""
        path = "/v1/messages/batches"
        router.add_post(path, self._create)
        router.add_get(path, self._list)
        router.add_get(f"{path}/{{id}}", self._retrieve)
        router.add_delete(f"{path}/{{id}}", self._delete)
        router.add_post(f"{path}/{{id}}/cancel", self._cancel)
        router.add_get(f"{path}/{{id}}/results", self._results)

    async def _create(self, request: web.Request) -> web.Response:
        body, version = await self._received(request.clone(client_max_size=MOST_BYTES))
        items = _items(body)
        told = [directives for each in items.values() if (directives := _directives(each)) is not None]
        now = datetime.now(UTC)
        due = now + timedelta(seconds=max(directives.number("delay") for directives in told) if told else 0)
        batch = MessageBatch(request[ID].replace("req_", "msgbatch_"), items, version, now, due)
        self._batches[batch.id] = batch
        if any("cut_after" in directives for directives in told) and request.transport:
            request.transport.abort()  # the batch is there, and whoever asked for it does not know
        return web.json_response(batch.shown(_url(request)))

    async def _list(self, request: web.Request) -> web.Response:
        query = request.query
        limit = query.get("limit", "20")
        require(limit.isdigit() and 1 <= int(limit) <= LONGEST_PAGE, "limit: must be 1 to 1000")
        newest = sorted(self._batches.values(), key=lambda each: each.created_at, reverse=True)
        ids = [each.id for each in newest]
        first = ids.index(query["after_id"]) + 1 if query.get("after_id") in ids else 0
        last = ids.index(query["before_id"]) if query.get("before_id") in ids else len(ids)
        page = newest[first:last][: int(limit)]
        for batch in page:
            await self._end_if_due(batch)
        shown = [batch.shown(_url(request)) for batch in page]
        more = first + len(page) < last
        names = {"first_id": page[0].id if page else None, "last_id": page[-1].id if page else None}
        return web.json_response({"data": shown, "has_more": more, **names})

    async def _retrieve(self, request: web.Request) -> web.Response:
        return web.json_response((await self._found(request)).shown(_url(request)))

    async def _delete(self, request: web.Request) -> web.Response:
        batch = await self._found(request)
        require(batch.ended_at, "A batch can be deleted when it has ended.")
        del self._batches[batch.id]
        return web.json_response({"id": batch.id, "type": "message_batch_deleted"})

    async def _cancel(self, request: web.Request) -> web.Response:
        batch = await self._found(request)
        if batch.ended_at is None and batch.cancelled_at is None:
            batch.cancelled_at = datetime.now(UTC)
        return web.json_response(batch.shown(_url(request)))

    async def _results(self, request: web.Request) -> web.StreamResponse:
        batch = await self._found(request)
        require(batch.ended_at, "The batch has no results yet: it has not ended.")
        response = web.StreamResponse(headers={"request-id": request[ID], "Content-Type": "application/x-jsonl"})
        await response.prepare(request)
        if RECEIVED in request:
            request[RECEIVED].status = 200
        for row in reversed(batch.results):  # in any order (claude-api.md 11)
            await response.write(json.dumps(row).encode() + b"\n")
        await response.write_eof()
        return response

    async def _found(self, request: web.Request) -> MessageBatch:
        batch = self._batches.get(request.match_info["id"])
        if batch is None:
            raise Refused(404, f"There is no message batch {request.match_info['id']}")
        await self._end_if_due(batch)
        return batch

    async def _end_if_due(self, batch: MessageBatch) -> None:
        """Answer the items of a batch that is due, or end one that is to be cancelled."""
        if batch.ended_at or not (batch.cancelled_at or datetime.now(UTC) >= batch.due):
            return
        results = []
        for number, (id, params) in enumerate(batch.items.items()):
            result = {"type": "canceled"} if batch.cancelled_at else self._result(f"{batch.id}_{number}", params, batch)
            results.append({"custom_id": id, "result": result})
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)
        if batch.ended_at is None:  # otherwise another request has ended it meanwhile
            batch.results, batch.ended_at = results, datetime.now(UTC)

    def _result(self, id: str, params: Body, batch: MessageBatch) -> Body:
        try:
            for name in NOT_IN_BATCHES:
                require(name not in params, f"{name}: not supported in batches")
            validate(params, version=batch.version)
            directives, prompt = directives_in(params)
            self._responder.fail_if_told(params, directives)
            if "expire" in directives and self._responder.still_told(params, directives):
                return {"type": "expired"}
            message = self._responder.message(id.replace("msgbatch_", "msg_"), params, directives, prompt)
        except Refused as refused:
            return {"type": "errored", "error": refused.envelope(id.replace("msgbatch_", "req_"))}
        return {"type": "succeeded", "message": {**message, "usage": {**message["usage"], "service_tier": "batch"}}}


def _items(body: Body) -> dict[str, Body]:
    """Return the items of a new batch by their custom ids. Raise Refused; their params are validated later."""
    requests = body.get("requests")
    require(isinstance(requests, list) and requests, "requests: must be a list of at least one")
    require(body.keys() == {"requests"}, "Extra inputs are not permitted")
    assert isinstance(requests, list)
    require(len(requests) <= MOST_REQUESTS, f"requests: at most {MOST_REQUESTS}")
    items: dict[str, Body] = {}
    for index, each in enumerate(requests):
        named = (
            isinstance(each, dict) and isinstance(each.get("custom_id"), str) and isinstance(each.get("params"), dict)
        )
        require(named and CUSTOM_ID.match(each["custom_id"]), f"requests.{index}: needs a custom_id and params")
        require(each["custom_id"] not in items, f"requests.{index}.custom_id: must be unique")
        items[each["custom_id"]] = each["params"]
    return items


def _directives(params: Body) -> Directives | None:
    """Return an item's directives; None if its params can't be read, which is reported when the batch has ended."""
    try:
        return directives_in(params)[0]
    except (Refused, LookupError, TypeError, AttributeError):
        return None


def _url(request: web.Request) -> str:
    return f"http://{request.host}"
