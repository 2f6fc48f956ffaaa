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
        "context_window": IntegerField(allow_null=True, help_text="Null for a model that the catalogue does not know."),
        "max_tokens": IntegerField(),
    },
)

list_ = extend_schema(
    operation_id="listConversations",
    summary="List conversations",
    description="The user's conversations, or with `shared` others' that are shared with them. With `q`, those in "
    "whose title or messages the words are found, each with a `snippet`: titles before messages, whole words before "
    "beginnings of words, and of equals what changed last. Case, accents, width and other forms of a letter make no "
    "difference. "
    "With `metadata.<key>=<value>`, those with that value there in their metadata.",
)
create = extend_schema(
    operation_id="createConversation",
    summary="Create a conversation",
    description="Begins a conversation. Its settings are what its turns ask Claude with.",
    parameters=[IDEMPOTENCY_KEY],
    request=ConversationSerializer,
    responses={201: ConversationSerializer, **errors(422)},
)
retrieve = extend_schema(
    operation_id="getConversation",
    summary="Get a conversation",
    description="A conversation, and what it has cost: all its branches, and its title.",
    responses=ConversationDetailSerializer,
)
update = extend_schema(
    operation_id="updateConversation",
    summary="Change a conversation",
    description="Changes the fields that are given. A setting that is null is taken away.",
    request=ConversationSerializer(partial=True),
    responses=ConversationSerializer,
)
destroy = extend_schema(
    operation_id="deleteConversation",
    summary="Delete a conversation",
    description="Deletes a conversation; what it cost stays in the ledger.",
    responses={204: OpenApiResponse(description="It is deleted.")},
)
activate = extend_schema(
    operation_id="activateMessage",
    summary="Choose the active leaf",
    description="Makes a message the one that the next turn goes on from.",
    request=ActivateSerializer,
    responses=ConversationSerializer,
)
fork = extend_schema(
    operation_id="forkConversation",
    summary="Fork a conversation",
    description="Begins a conversation with the path up to a message.",
    request=ForkSerializer,
    responses={201: ConversationSerializer},
)
export = extend_schema(
    operation_id="exportConversation",
    summary="Export a conversation",
    description="The whole conversation, for `import`; with `Accept: text/markdown` what was said, to be read.",
    responses={(200, JSON): ExportSerializer, (200, MarkdownRenderer.media_type): OpenApiTypes.STR},
)
import_ = extend_schema(
    operation_id="importConversation",
    summary="Import a conversation",
    description="Makes a conversation out of an export.",
    request=ExportSerializer,
    responses={201: ConversationSerializer},
)
messages = extend_schema(
    operation_id="listMessages",
    summary="List messages",
    description="The path from the root to a leaf, oldest first.",
    responses=MessageSerializer(many=True),
)
usage = extend_schema(
    operation_id="getConversationUsage",
    summary="Sum up a branch's usage",
    description="What a branch has cost: the turns that said what is on the path from the root to a leaf.",
    responses=BranchUsageSerializer,
)
tree = extend_schema(
    operation_id="getTree",
    summary="List the tree's nodes",
    description="Every message's place in the tree, oldest first.",
    responses=NodeSerializer(many=True),
)
count_tokens = extend_schema(
    operation_id="countTokens",
    summary="Count a turn's input tokens",
    description="How many tokens of input a turn would be. It is not begun, and costs nothing.",
    request=TurnRequestSerializer,
    responses={200: TokenCount, **errors(*ASKED_CLAUDE)},
)
