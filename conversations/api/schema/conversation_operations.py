"""The operations on conversations, as the OpenAPI document describes them."""

from __future__ import annotations

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema, inline_serializer
from rest_framework.serializers import IntegerField

from conversations.api.conversation_serializers import (
    ActivateSerializer,
    BranchUsageSerializer,
    ConversationDetailSerializer,
    ConversationSerializer,
    ForkSerializer,
)
from conversations.api.schema.error_components import ASKED_CLAUDE, errors
from conversations.api.schema.turn_operations import IDEMPOTENCY_KEY, JSON
from conversations.api.serializers import MessageSerializer, NodeSerializer, TurnRequestSerializer
from conversations.api.transfer_formats import ExportSerializer, MarkdownRenderer

TokenCount = inline_serializer(
    "TokenCount",
    {
        "input_tokens": IntegerField(),
        "context_window": IntegerField(allow_null=True, help_text="Null for a model that is not in the catalogue."),
        "max_tokens": IntegerField(),
    },
)

list_ = extend_schema(
    operation_id="listConversations",
    summary="List conversations",
    description="Returns the user's own conversations, or with `shared=true` those that others share with them. `q` "
    "searches titles and messages, and adds a `snippet` to each result; results are ordered: titles before "
    "messages, whole words before prefixes, then the last changed first. Case, accents, full and half width and "
    "other variants of letters are ignored. `metadata.<key>=<value>` returns only conversations with this value in "
    "their metadata.",
)
create = extend_schema(
    operation_id="createConversation",
    summary="Create a conversation",
    description="Creates a conversation. Its settings apply to the requests that its turns send to Claude.",
    parameters=[IDEMPOTENCY_KEY],
    request=ConversationSerializer,
    responses={201: ConversationSerializer, **errors(422)},
)
retrieve = extend_schema(
    operation_id="getConversation",
    summary="Get a conversation",
    description="Returns a conversation, with the cost of all its branches and of its generated title.",
    responses=ConversationDetailSerializer,
)
update = extend_schema(
    operation_id="updateConversation",
    summary="Update a conversation",
    description="Changes the given fields. Null resets a setting to the platform's default.",
    request=ConversationSerializer(partial=True),
    responses=ConversationSerializer,
)
destroy = extend_schema(
    operation_id="deleteConversation",
    summary="Delete a conversation",
    description="Deletes a conversation with its messages and turns. Its usage and cost remain in the ledger.",
    responses={204: OpenApiResponse(description="The conversation is deleted.")},
)
activate = extend_schema(
    operation_id="activateMessage",
    summary="Set the active leaf",
    description="Makes a message the active leaf: the next turn continues from it.",
    request=ActivateSerializer,
    responses=ConversationSerializer,
)
fork = extend_schema(
    operation_id="forkConversation",
    summary="Fork a conversation",
    description="Creates a conversation with a copy of the path from the root to a message.",
    request=ForkSerializer,
    responses={201: ConversationSerializer},
)
export = extend_schema(
    operation_id="exportConversation",
    summary="Export a conversation",
    description="Returns the conversation with all branches as JSON, which can be imported again; with `Accept: "
    "text/markdown`, its text as Markdown.",
    responses={(200, JSON): ExportSerializer, (200, MarkdownRenderer.media_type): OpenApiTypes.STR},
)
import_ = extend_schema(
    operation_id="importConversation",
    summary="Import a conversation",
    description="Creates a conversation from an export.",
    request=ExportSerializer,
    responses={201: ConversationSerializer},
)
messages = extend_schema(
    operation_id="listMessages",
    summary="List messages",
    description="Returns the messages on the path from the root to a leaf, oldest first.",
    responses=MessageSerializer(many=True),
)
usage = extend_schema(
    operation_id="getConversationUsage",
    summary="Get a branch's usage",
    description="Returns the usage and cost of a branch: of the turns that produced the messages on the path from "
    "the root to a leaf.",
    responses=BranchUsageSerializer,
)
tree = extend_schema(
    operation_id="getTree",
    summary="List message nodes",
    description="Returns every message of the conversation as a node of its tree, without content, oldest first.",
    responses=NodeSerializer(many=True),
)
count_tokens = extend_schema(
    operation_id="countTokens",
    summary="Count input tokens",
    description="Returns the number of input tokens that a turn with this body would have. No turn is created, and "
    "nothing is charged.",
    request=TurnRequestSerializer,
    responses={200: TokenCount, **errors(*ASKED_CLAUDE)},
)
