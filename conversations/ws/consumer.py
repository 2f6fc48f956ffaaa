"""The WebSocket consumer: commands in, replies and events out. Handlers parse, call a service, and return."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import ParamSpec, TypeVar

from channels.consumer import get_handler_name
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings

from conversations.api import turn_views as turn_api
from conversations.api.error_responses import translate
from conversations.api.serializer_fields import Values
from conversations.api.serializers import asked_in
from conversations.asgi_types import Message, Receive, Scope, Send
from conversations.content.transcript import encode
from conversations.contract.frame_types import CREATED
from conversations.database import in_database
from conversations.database_faults import DATABASE_ERRORS
from conversations.errors import ColloquyError, NotAuthenticated, Unavailable
from conversations.follow import check_position, followed
from conversations.json_types import JSONObject
from conversations.log_context import note
from conversations.models import Conversation, Right, Turn, User
from conversations.rates import Rate
from conversations.running.engine import RETRY_AFTER, engine
from conversations.running.turn_start import start_turn
from conversations.services.accounts.credentials import Credential, while_valid
from conversations.services.accounts.shares import Membership, membership, readable_turn
from conversations.services.turns import turns
from conversations.ws import frames
from conversations.ws.codes import NOT_AUTHENTICATED, RESTARTING, TOO_MANY
from conversations.ws.following import Following, Gone
from conversations.ws.socket_authentication import Refused, authenticate
from conversations.ws.socket_limits import Sockets, TooMany

P = ParamSpec("P")
T = TypeVar("T")

logger = logging.getLogger(__name__)


class Socket(AsyncWebsocketConsumer):
    """One user's socket, with the turns and conversations that it follows."""

    user: User
    _credential: Credential
    _revoked: asyncio.Future[None]
    _ending: asyncio.Task[None]

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self._following = Following(self._send)
        self._frames = Rate(settings.COLLOQUY_FRAMES_PER_MINUTE)
        self._closed = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the socket's messages to their handlers, one after the other.

        Channels' own method awaits each message in a task, beside those of a channel layer, and keeps the last one.
        """
        self.scope, self.base_send = scope, send
        with suppress(StopConsumer):
            while True:
                await self.dispatch(await receive())

    async def dispatch(self, message: Message) -> None:
        """Call the handler of a message.

        Channels' own method first hops to a thread to close database connections. None are open here: all database
        access goes through `in_database`.
        """
        handler = getattr(self, get_handler_name(message), None)
        if handler is None:
            raise ValueError(f"No handler for message type {message['type']}")
        await handler(message)

    async def connect(self) -> None:
        """Accept the socket before closing it with a code if it is refused: a refused handshake has no close code."""
        try:
            self.user, self._credential = await authenticate(self.scope)
        except Refused as refused:
            await self.accept()
            await self.close(refused.code)
            return
        except DATABASE_ERRORS:  # nobody can be authenticated; the client should reconnect, as after a restart
            await self.accept()
            await self.close(RESTARTING)
            return
        note(user=self.user.pk)
        await self.accept()
        here = await engine()
        self._revoked = here.guard.watch(self._credential)
        self._revoked.add_done_callback(self._let_out)
        try:
            here.part(Sockets).enter(self.user.pk, self, self._leave)
        except TooMany:
            await self._end(TOO_MANY)
        if here.draining:
            await self._end(RESTARTING)

    async def websocket_disconnect(self, message: Message) -> None:
        """End the consumer, as Channels' own method does after an unnecessary hop to a thread."""
        await self.disconnect(message["code"])
        raise StopConsumer

    async def disconnect(self, code: int) -> None:
        """End all subscriptions. The turns themselves continue."""
        self._leave_all()
        if hasattr(self, "_revoked"):
            self._revoked.cancel()
            (await engine()).part(Sockets).left(self.user.pk, self)

    async def _leave(self) -> None:
        """Close the socket because the server restarts: the client reconnects to another one."""
        await self._end(RESTARTING)

    def _let_out(self, revoked: asyncio.Future[None]) -> None:
        if not revoked.cancelled():
            self._ending = asyncio.create_task(self._end(NOT_AUTHENTICATED))

    async def _end(self, code: int) -> None:
        """Close the socket from our side."""
        if not self._closed:
            self._leave_all()
            with suppress(Exception):  # the client may disconnect at any moment, which servers report differently
                await self.close(code)

    def _leave_all(self) -> None:
        self._closed = True
        self._following.end_all()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Answer a command; if it fails, by an error frame, and the socket stays open."""
        if self._closed or not hasattr(self, "user"):
            return
        if not self._frames.takes():
            await self._end(TOO_MANY)
            return
        frame: JSONObject = {}
        try:
            frame = await frames.off_the_loop(frames.parse_frame, text_data, size=len(text_data or ""))
            values = await frames.off_the_loop(frames.checked_values, frame, size=len(text_data or ""))
            await self._commands[str(frame["type"])](self, frame, values)
        except Gone:
            return
        except Exception as error:  # whatever it was, the socket stays open
            ours = translate(error)
            if ours is None:
                logger.exception("A WebSocket command failed")
                ours = ColloquyError()
            with suppress(Gone):
                await self._answer({**ours.payload(), "ref": frames.ref_of(frame)})
            if isinstance(ours, NotAuthenticated):
                await self._end(NOT_AUTHENTICATED)

    async def _in_database(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a command's database code. Raise NotAuthenticated if the user's access has ended."""
        return await in_database(while_valid, self._credential, partial(function, *args, **kwargs))

    async def _create(self, frame: JSONObject, values: Values) -> None:
        if (await engine()).draining:
            raise Unavailable(retry_after=RETRY_AFTER)
        self._following.check_room()
        conversation, key = values["conversation"], values.get("idempotency_key")
        asked = asked_in(values)
        plain = turns.plain_beginning(conversation, asked)
        own = {"type", "ref", "conversation", "idempotency_key"}
        # The same body has the same digest over REST, so that a retry may use the other transport.
        body = {name: value for name, value in frame.items() if name not in own}
        digest_of = partial(turn_api.digest, str(conversation), body)
        digest = digest_of() if plain else await asyncio.to_thread(digest_of)  # what is not plain may be large
        async with self._following.beginning:
            made = await start_turn(
                self.user,
                self._credential,
                key,
                digest,
                lambda who: turns.create(who=who, conversation_id=conversation, asked=asked),
                plain,
            )
            shown = await turn_api.shown_created(made)
            await self._answer({"type": CREATED, "ref": frames.ref_of(frame), "turn": shown})
            turn = made.turn
            self._following.begun(turn.pk, membership(self.user, turn.conversation_id, turn.conversation.owner_id))

    async def _follow(self, frame: JSONObject, values: Values) -> None:
        self._following.check_room()
        id, after = values["turn"], values["after"]
        turn, member = await self._in_database(readable_turn, self.user, id)
        check_position(turn, after, "after")
        self._following.turn(turn.pk, after, member)

    async def _follow_extraction(self, frame: JSONObject, values: Values) -> None:
        self._following.check_room()
        extractions, after = followed("extraction"), values["after"]
        found = await self._in_database(extractions.find, self.user, values["extraction"])
        check_position(found, after, "after")
        self._following.batches(("extraction", found.pk), extractions.follow(found.pk, after))

    async def _unfollow_extraction(self, frame: JSONObject, values: Values) -> None:
        id = values["extraction"]
        if not self._following.end(("extraction", id)):
            await self._in_database(followed("extraction").find, self.user, id)

    async def _unfollow(self, frame: JSONObject, values: Values) -> None:
        id = values["turn"]
        if not self._following.end(("turn", id)):
            await self._in_database(readable_turn, self.user, id)

    async def _cancel(self, frame: JSONObject, values: Values) -> None:
        turn = await self._in_database(turns.cancel, user=self.user, turn_id=values["turn"])
        (await engine()).runner("turn").cancel([turn.pk])
        await self._answer({"type": "ok", "ref": frames.ref_of(frame)})

    async def _tool_results(self, frame: JSONObject, values: Values) -> None:
        id, results = values["turn"], values["results"]
        turn = await self._in_database(turns.submit_tool_results, user=self.user, turn_id=id, results=results)
        if turn.status == Turn.QUEUED:
            await (await engine()).run("turn", turn.pk)
        await self._answer({"type": "ok", "ref": frames.ref_of(frame)})

    async def _follow_conversation(self, frame: JSONObject, values: Values) -> None:
        self._following.check_room()
        id = values["conversation"]
        found = await self._in_database(Conversation.objects.get_open, self.user, id, Right.READ)
        member = membership(self.user, found.pk, found.owner_id)
        await self._following.conversation(Membership(self.user.pk, found.pk), member)

    async def _ping(self, frame: JSONObject, values: Values) -> None:
        await self._answer({"type": "pong"} if "ref" not in frame else {"type": "pong", "ref": frames.ref_of(frame)})

    _commands: dict[str, Callable[[Socket, JSONObject, Values], Awaitable[None]]] = {
        "turn.create": _create,
        "turn.follow": _follow,
        "turn.unfollow": _unfollow,
        "turn.cancel": _cancel,
        "turn.tool_results": _tool_results,
        "conversation.follow": _follow_conversation,
        "extraction.follow": _follow_extraction,
        "extraction.unfollow": _unfollow_extraction,
        "ping": _ping,
    }

    async def _answer(self, answer: Mapping[str, object]) -> None:
        await self._send(encode(answer))

    async def _send(self, text: str) -> None:
        """Send a frame; the server closes the socket of a client that does not read. Raise Gone if it is closed."""
        try:
            await self.base_send({"type": "websocket.send", "text": text})
        except OSError:  # the server noticed before `disconnect` came
            self._leave_all()
            raise Gone from None
