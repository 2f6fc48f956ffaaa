"""The AsyncAPI document of the WebSocket, generated from the frames' serializers and the events' types."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from django.conf import settings
from drf_spectacular.plumbing import ComponentRegistry
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from conversations.api.queries import Queried
from conversations.api.schema.components import register, without_enum_ids
from conversations.api.schema.operations import OperationSchema
from conversations.contract.event_types import TurnEvent
from conversations.contract.extraction_types import ExtractionEvent
from conversations.contract.frame_types import ErrorFrame, Ok, Pong
from conversations.contract.schema_building import changed, members
from conversations.json_types import JSONSchema
from conversations.ws import codes
from conversations.ws.frames import COMMANDS, TurnCreated

TURN_EVENTS = members(TurnEvent)
EXTRACTION_EVENTS = members(ExtractionEvent)
EVENTS = tuple(each.__name__ for each in TURN_EVENTS)
ANSWERS: dict[str, tuple[str, ...]] = {
    "turn.create": ("TurnCreated", *EVENTS),
    "turn.follow": EVENTS,
    "turn.unfollow": (),
    "turn.cancel": ("Ok",),
    "turn.tool_results": ("Ok",),
    "conversation.follow": EVENTS,
    "extraction.follow": tuple(each.__name__ for each in EXTRACTION_EVENTS),
    "extraction.unfollow": (),
    "ping": ("Pong",),
}
"""The messages that may follow a command, by its type; any may be followed by an error."""

CLOSE_CODES = {
    codes.NOT_AUTHENTICATED: "the credentials are missing, invalid or expired",
    codes.FORBIDDEN_ORIGIN: "the page's origin is not allowed",
    codes.TOO_SLOW: "the client reads too slowly",
    codes.TOO_MANY: "too many sockets or frames",
    1009: "a frame is larger than 1 MiB",
    codes.RESTARTING: "the server is restarting: reconnect and resume",
}
DESCRIPTION = (
    "One socket for everything: commands in, answers and the events of turns and extractions out. Authentication at "
    "the handshake: a session's cookie from an allowed origin, `Authorization: Bearer`, or `?ticket=` from "
    "`POST /api/auth/ws-ticket/`. "
    "Close codes: "
)


@cache
def asyncapi(host: str, protocol: str) -> dict[str, object]:
    """Return the document for a server at this host, over `ws` or `wss`."""
    registry = ComponentRegistry()
    describing = _describing(registry)
    messages = {**_commands(describing), **_answers(describing)}
    document = {
        "asyncapi": "3.0.0",
        "info": {
            "title": f"{settings.SPECTACULAR_SETTINGS['TITLE']}: WebSocket",
            "version": settings.SPECTACULAR_SETTINGS["VERSION"],
            "description": DESCRIPTION + "; ".join(f"{code}: {why}" for code, why in CLOSE_CODES.items()) + ".",
        },
        "defaultContentType": "application/json",
        "servers": {"platform": {"host": host, "protocol": protocol}},
        "channels": {
            "socket": {
                "address": "/ws/",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
                "bindings": {"ws": {"method": "GET", "query": TICKET}},
            }
        },
        "operations": {name: _operation(name, answers) for name, answers in ANSWERS.items()},
        "components": {"messages": messages, "schemas": registry.build({})["schemas"]},
    }
    return dict(without_enum_ids(changed(document, _discriminated)))


def _discriminated(part: JSONSchema) -> JSONSchema:
    """Return an object with its discriminator in AsyncAPI's form: the name of the property alone."""
    discriminator = part.get("discriminator")
    return {**part, "discriminator": discriminator["propertyName"]} if isinstance(discriminator, dict) else part


TICKET: JSONSchema = {
    "type": "object",
    "properties": {
        "ticket": {
            "type": "string",
            "description": "A ticket from `POST /api/auth/ws-ticket/`, which can be used once.",
        }
    },
}


def _commands(describing: OperationSchema) -> dict[str, JSONSchema]:
    """Return a message for each command, from its serializer."""
    messages = {}
    for name, serializer in COMMANDS.items():
        schema = describing._map_serializer(serializer(), "request")
        schema["properties"]["type"] = {"type": "string", "const": name}
        messages[name] = _message(name, _summary(serializer), schema)
    return messages


def _describing(registry: ComponentRegistry) -> OperationSchema:
    """Return drf-spectacular's describer of serializers, outside of any view."""
    describing, view = OperationSchema(), APIView()
    view.request = None  # type: ignore[assignment]
    describing.registry, describing.view, describing.method = registry, view, "POST"
    return describing


def _answers(describing: OperationSchema) -> dict[str, JSONSchema]:
    """Return a message for each kind of frame that the server sends."""
    created = describing.resolve_serializer(TurnCreated(), "response").ref
    kinds = (Ok, Pong, ErrorFrame, *TURN_EVENTS, *EXTRACTION_EVENTS)
    payloads = [(TurnCreated, created), *((each, register(describing.registry, each)) for each in kinds)]
    return {each.__name__: _message(each.__name__, _summary(each), schema) for each, schema in payloads}


def _summary(described: type) -> str:
    """Return the first line of a type's description."""
    return (described.__doc__ or "").partition("\n")[0]


def _message(name: str, summary: str, payload: JSONSchema) -> JSONSchema:
    return {"name": name, "title": name, "summary": summary, "payload": payload}


def _operation(command: str, answers: tuple[str, ...]) -> JSONSchema:
    def references(names: Iterable[str]) -> list[JSONSchema]:
        return [{"$ref": f"#/channels/socket/messages/{name}"} for name in names]

    channel = {"$ref": "#/channels/socket"}
    return {
        "action": "receive",
        "channel": channel,
        "messages": references([command]),
        "reply": {"channel": channel, "messages": references([*answers, "ErrorFrame"])},
    }


class AsyncApi(Queried, APIView):
    """Serves the document to anybody, as the OpenAPI document is."""

    permission_classes = (AllowAny,)
    schema = None

    def get(self, request: Request) -> Response:
        """Return the document for the URL that the client requested."""
        return Response(asyncapi(request.get_host(), "wss" if request.is_secure() else "ws"))
