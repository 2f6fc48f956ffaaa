"""Conversations, and what is in them."""

from __future__ import annotations

import uuid

from drf_spectacular.utils import extend_schema_view
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from conversations.api import turn_views as turn_api
from conversations.api.conversation_serializers import (
    ActivateSerializer,
    ConversationSerializer,
    ForkSerializer,
    ListedConversationSerializer,
)
from conversations.api.later import Later, LaterBegun
from conversations.api.pagination import Pages, PathPages
from conversations.api.queries import BeginQuery, ConversationsQuery, LeafQuery, PageQuery, PathQuery, Queried, query_of
from conversations.api.renderers import JSONRenderer
from conversations.api.requesters import user_of
from conversations.api.schema import conversation_operations as documents
from conversations.api.schema import turn_operations as turn_documents
from conversations.api.serializers import (
    MessageSerializer,
    NodeSerializer,
    TurnRequestSerializer,
    TurnSerializer,
    asked_in,
)
from conversations.api.transfer_formats import (
    BODY_LIMIT,
    ExportParser,
    ExportSerializer,
    MarkdownRenderer,
    as_json,
    as_markdown,
)
from conversations.api.usage_views import sums_of
from conversations.claude import catalogue, client
from conversations.models import Conversation, Right, Usage
from conversations.services import conversation_import, conversations, transfers
from conversations.services.accounts import shares
from conversations.services.conversation_lists import ConversationList
from conversations.services.deletion import deletion
from conversations.services.search import begin_search
from conversations.services.turns import message_paths, turns


@extend_schema_view(list=documents.list_)
class ConversationViewSet(Queried, viewsets.GenericViewSet[Conversation]):
    """Create, find, change, copy and delete a user's conversations, and begin turns in them."""

    serializer_class = ListedConversationSerializer
    queryset = Conversation.objects.none()
    queries = {
        "list": ConversationsQuery,
        "messages": PathQuery,
        "usage": LeafQuery,
        "tree": PageQuery,
        "turns": PageQuery,
        "create_turn": BeginQuery,
    }
    with_body = ("create", "partial_update", "activate", "fork", "take_in", "create_turn", "count_tokens")
    body_limit: int | None = None

    def get_renderers(self) -> list[BaseRenderer]:
        """Return what answers can be written by; a turn that is begun may be answered by a stream as well."""
        streams = [turn_api.EventStreamRenderer()] if self.action == "create_turn" else []
        return [*super().get_renderers(), *streams]

    def get_object(self) -> Conversation:
        """Return the conversation, if the user may read it. Raises NotFound otherwise."""
        found = Conversation.objects.select_related("owner")
        return found.get_open(self.request.user, self.kwargs["pk"], Right.READ)

    def list(self, request: Request) -> Response:
        """Return a page of the user's own conversations, or of those that are shared with them, as the query says."""
        query, user = query_of(request), user_of(request)
        rows = ConversationList(
            user,
            shared=query["shared"],
            archived=query.get("archived"),
            tag=query.get("tag"),
            metadata=query.get("metadata", {}),
            search=begin_search(user, query["q"], shared=query["shared"]) if "q" in query else None,
        )
        ordering = query.get("ordering", "-relevance" if "q" in query else "-updated_at")
        pages = Pages()
        page = pages.page(rows, ordering, request)
        return pages.get_paginated_response(ListedConversationSerializer(page, many=True).data)

    @property
    def checks_credential(self) -> bool:
        """Return whether the action checks the credential with what it does: a turn is begun by one that is valid."""
        return self.action == "create_turn"

    @documents.create
    def create(self, request: Request) -> Response:
        """Create a conversation, or find the one that the request's key has created; return it with status 201."""
        key, digest = turn_api.key_of(request), turn_api.digest("", request.data)
        fields = self._fields(request)
        found = conversations.create(owner=user_of(request), fields=fields, key=key, digest=digest)
        return self._shown(found, status=201)

    @documents.retrieve
    def retrieve(self, request: Request, pk: str) -> Response:
        """Return a conversation with the sums of all its usage."""
        conversation = self.get_object()
        shares.seen_by(user_of(request), conversation)
        return Response({**ConversationSerializer(conversation).data, **sums_of(conversation.usage.all())})

    @documents.update
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change the fields that are given; return the conversation as it is then."""
        fields = self._fields(request, partial=True)
        return self._shown(conversations.update(user=user_of(request), id=pk, fields=fields))

    @documents.destroy
    def destroy(self, request: Request, pk: str) -> Response:
        """Delete a conversation; what it cost stays in the ledger."""
        deletion.delete_conversation(user=user_of(request), id=pk)
        return Response(status=204)

    @documents.activate
    @action(detail=True, methods=["post"])
    def activate(self, request: Request, pk: str) -> Response:
        """Make a message the one that the next turn goes on from."""
        serializer = ActivateSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        leaf = serializer.validated_data["leaf"]
        return self._shown(conversations.activate(user=user_of(request), id=pk, leaf=leaf))

    @documents.fork
    @action(detail=True, methods=["post"])
    def fork(self, request: Request, pk: str) -> Response:
        """Create a conversation with the path up to a message."""
        serializer = ForkSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        message = serializer.validated_data["message"]
        return self._shown(transfers.fork(user=user_of(request), id=pk, message=message), status=201)

    @documents.export
    @action(detail=True, pagination_class=None, renderer_classes=[JSONRenderer, MarkdownRenderer])
    def export(self, request: Request, pk: str) -> Response:
        """Return the conversation with all its branches as JSON, or the active branch as Markdown."""
        if isinstance(request.accepted_renderer, MarkdownRenderer):
            conversation = self.get_object()
            return Response(
                as_markdown(conversation, message_paths.path_to(conversation.pk, conversation.active_leaf_id))
            )
        return Response(as_json(transfers.export(user=user_of(request), id=pk)))

    @documents.import_
    @action(detail=False, methods=["post"], url_path="import", body_limit=BODY_LIMIT, parser_classes=[ExportParser])
    def take_in(self, request: Request) -> Response:
        """Create a conversation out of an export."""
        serializer = ExportSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return self._shown(
            conversation_import.import_conversation(owner=user_of(request), export=serializer.export()), status=201
        )

    @documents.messages
    @action(detail=True, pagination_class=PathPages)
    def messages(self, request: Request, pk: str) -> Response:
        """Return a page of the path of messages that ends in a leaf."""
        pages = PathPages()
        found = pages.paginate_path(user_of(request), pk, request)
        return pages.get_paginated_response(MessageSerializer(found, many=True).data)

    @documents.usage
    @action(detail=True, pagination_class=None)
    def usage(self, request: Request, pk: str) -> Response:
        """Return the sums over a path."""
        conversation = self.get_object()
        leaf = self._leaf(conversation, request)
        rows = Usage.objects.filter(turn_id__in=message_paths.turns_on_path(conversation.pk, leaf))
        return Response({"leaf": leaf, **sums_of(rows)})

    @documents.tree
    @action(detail=True)
    def tree(self, request: Request, pk: str) -> Response:
        """Return a page of the tree's nodes, oldest first."""
        nodes = self.get_object().messages.only("id", "parent_id", "role", "created_at").order_by("id")
        pages = Pages()
        return pages.get_paginated_response(NodeSerializer(pages.page(nodes, "id", request), many=True).data)

    @turn_documents.list_
    @action(detail=True)
    def turns(self, request: Request, pk: str) -> Response:
        """Return a page of the conversation's turns, newest first."""
        pages = Pages()
        found = pages.page(turn_api.with_all(self.get_object().turns), "-id", request)
        return pages.get_paginated_response(TurnSerializer(found, many=True).data)

    @turn_documents.create
    @turns.mapping.post
    def create_turn(self, request: Request, pk: str) -> LaterBegun:
        """Create a turn; the answer is the turn, or a stream of its events."""
        return turn_api.create(request, pk)

    @documents.count_tokens
    @action(detail=True, methods=["post"], url_path="count-tokens")
    def count_tokens(self, request: Request, pk: str) -> Later:
        """Return how many input tokens a turn's request would have, and what there is room for; nothing is stored."""
        asked = asked_in(TurnRequestSerializer.checked_values(request.data))
        body = turns.hypothetical_request(user=user_of(request), conversation_id=pk, asked=asked)
        model = catalogue.find(body["model"])

        async def then() -> dict[str, object]:
            return {
                "input_tokens": await client.count_tokens(body),
                "context_window": model.context_window if model else None,
                "max_tokens": body["max_tokens"],
            }

        return Later(request, then)

    def _fields(self, request: Request, *, partial: bool = False) -> dict[str, object]:
        serializer = ConversationSerializer(data=request.data, partial=partial)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def _shown(self, conversation: Conversation, status: int = 200) -> Response:
        shares.seen_by(user_of(self.request), conversation)
        return Response(ConversationSerializer(conversation).data, status=status)

    def _leaf(self, conversation: Conversation, request: Request) -> uuid.UUID | None:
        leaf: uuid.UUID | None = query_of(request).get("leaf")
        if leaf and not conversation.messages.filter(pk=leaf).exists():
            raise message_paths.no_such_message("leaf", leaf)
        return leaf or conversation.active_leaf_id
