"""The shapes of the contract (api.md)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from conversations.api.serializer_fields import Boolean, Id, Integer, Json, Number, StrictSerializer, String
from conversations.content import block_checks, sources
from conversations.contract import error_types, event_types, input_blocks, output_blocks
from conversations.contract import setting_types as shapes
from conversations.models import Conversation, Message, Turn, User
from conversations.services import ledger
from conversations.services.turn_settings import NAMES
from conversations.services.turns import Asked


class SettingsSerializer(StrictSerializer):
    """What Claude is asked with. A null takes a setting away."""

    model = String(required=False, allow_null=True, max_length=200)
    system = Json(str, list, shape=input_blocks.SystemParam, required=False, allow_null=True)
    max_tokens = Integer(required=False, allow_null=True, min_value=1, max_value=10_000_000)
    temperature = Number(required=False, allow_null=True, min_value=0, max_value=1)
    stop_sequences = serializers.ListField(child=String(trim_whitespace=False), required=False, allow_null=True)
    thinking = Json(dict, shape=shapes.Thinking, required=False, allow_null=True)
    effort = String(required=False, allow_null=True, max_length=20)
    tools = Json(list, shape=list[shapes.ToolParam], required=False, allow_null=True)
    tool_choice = Json(dict, shape=shapes.ToolChoice, required=False, allow_null=True)


class ConversationSerializer(SettingsSerializer):
    """A conversation: its own fields, and the settings of its turns."""

    shows_every_field = True
    """For the API's description: what may be left out of a request is always there in a response."""

    id = serializers.UUIDField(read_only=True)
    title = String(required=False, allow_blank=True, max_length=500)
    metadata = Json(dict, shape=input_blocks.Metadata, required=False)
    archived = Boolean(required=False)
    active_leaf = serializers.UUIDField(
        source="active_leaf_id", read_only=True, allow_null=True, help_text="Null where nothing was said yet."
    )
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)

    def to_representation(self, instance: Conversation) -> dict[str, Any]:
        """Return the conversation with its settings as fields of its own."""
        shown: dict[str, Any] = super().to_representation(_WithSettings(instance))
        return shown


class ListedConversationSerializer(ConversationSerializer):
    """A conversation in a list."""

    snippet = serializers.SerializerMethodField(
        help_text="Where `q` was found: HTML in which `<mark>` is the only tag and all that was said is escaped. Null "
        "where there is no `q`."
    )

    def get_snippet(self, conversation: Any) -> str | None:
        """Return what the search has added to the row."""
        return getattr(conversation, "snippet", None)


class _WithSettings:
    """A conversation whose settings can be read as its own fields."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation

    def __getattr__(self, name: str) -> Any:
        if name in NAMES:
            return self._conversation.settings.get(name)
        return getattr(self._conversation, name)


class ActivateSerializer(StrictSerializer):
    """The message that the next turn goes on from."""

    leaf = Id()


class ForkSerializer(StrictSerializer):
    """The last message of the new conversation."""

    message = Id()


class ContentField(Json):
    """A string or Claude's content blocks, as blocks."""

    def __init__(
        self,
        *,
        shape: Any = input_blocks.ContentParam,
        documents: Iterable[str] = block_checks.PDF_ONLY,
        **options: Any,
    ) -> None:
        """Take the media types that documents in base64 may have, and the shape that says so."""
        super().__init__(shape=shape, **options)
        self._documents = documents

    def to_internal_value(self, data: Any) -> list[dict[str, Any]]:
        """Return the content as checked blocks. Raises InvalidRequest or UnsupportedMediaType."""
        return block_checks.checked_blocks(data, documents=self._documents)


@extend_schema_serializer(component_name="NewTurn")
class TurnRequestSerializer(SettingsSerializer):
    """What a user asks: content to say, or an answer to regenerate."""

    content = ContentField(required=False)
    parent: Any = Id(required=False, allow_null=True)
    regenerate = Id(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Require one of content and regenerate, and only the fields that go with it."""
        if ("content" in attrs) == ("regenerate" in attrs):
            raise serializers.ValidationError({"content": "Give either content or regenerate."})
        if "regenerate" in attrs and "parent" in attrs:
            raise serializers.ValidationError({"parent": "A regenerated answer keeps its parent."})
        return attrs

    def asked(self) -> Asked:
        """Return what the client asked for, once the request has been validated."""
        data = self.validated_data
        return Asked(
            content=data.get("content"),
            parent=data.get("parent"),
            at_leaf="parent" not in data,
            regenerate=data.get("regenerate"),
            settings={name: data[name] for name in NAMES if name in data},
        )


class ToolResultsSerializer(StrictSerializer):
    """What a client's tools came to."""

    results = Json(list, shape=input_blocks.ToolResults)

    def validate_results(self, results: list[Any]) -> list[dict[str, Any]]:
        """Return the results as `tool_result` blocks. Raises where they are not well-formed."""
        return block_checks.checked_results(results)


class MessageSerializer(serializers.ModelSerializer[Message]):
    """A message on the path that was asked for."""

    content = serializers.SerializerMethodField()
    parent = serializers.UUIDField(source="parent_id", allow_null=True, help_text="Null at a root.")  # type: ignore[assignment]
    turn = serializers.UUIDField(source="turn_id", allow_null=True, help_text="Null where it was imported or copied.")
    stop_reason = Json(shape=error_types.StopReason, allow_null=True)
    siblings = serializers.IntegerField(help_text="How many messages have the same parent, this one included.")

    class Meta:
        model = Message
        fields = ("id", "parent", "role", "content", "turn", "stop_reason", "siblings", "created_at")

    @extend_schema_field(Json(shape=list[output_blocks.ContentBlock]))
    def get_content(self, message: Message) -> list[dict[str, Any]]:
        """Return Claude's blocks; attachments have a URL."""
        return sources.with_urls(message.content)


class TurnMessageSerializer(MessageSerializer):
    """A message that a turn produced."""

    siblings = None  # type: ignore[assignment]

    class Meta(MessageSerializer.Meta):
        fields = tuple(name for name in MessageSerializer.Meta.fields if name != "siblings")  # type: ignore[assignment]


class NodeSerializer(serializers.ModelSerializer[Message]):
    """A message's place in the tree."""

    parent = serializers.UUIDField(source="parent_id", allow_null=True, help_text="Null at a root.")  # type: ignore[assignment]

    class Meta:
        model = Message
        fields = ("id", "parent", "role", "created_at")


class CostSerializer(serializers.Serializer[Any]):
    """What several upstream requests used and cost."""

    usage = Json(shape=event_types.UsageSum, read_only=True)
    cost = serializers.CharField(
        read_only=True, allow_null=True, help_text="US dollars; null where a price is not known."
    )


class ConversationDetailSerializer(CostSerializer, ConversationSerializer):
    """A conversation, and what it has cost."""


class BranchUsageSerializer(CostSerializer):
    """What a branch of a conversation has cost."""

    leaf = serializers.UUIDField(read_only=True, allow_null=True, help_text="Null where nothing was said yet.")


class TurnSerializer(serializers.ModelSerializer[Turn]):
    """A turn. Its messages, usage and cost are there when it has ended."""

    messages = TurnMessageSerializer(many=True, help_text="What the turn produced, oldest first.")
    status = serializers.ChoiceField(Turn.Status.choices)
    stop_reason = Json(shape=error_types.StopReason, allow_null=True)
    stop_details = Json(shape=error_types.StopDetails, allow_null=True)
    error = Json(shape=error_types.Failure, allow_null=True)
    conversation = serializers.UUIDField(source="conversation_id")
    user_message = serializers.UUIDField(source="user_message_id", help_text="The message that it answers.")
    usage = serializers.SerializerMethodField()
    cost = serializers.SerializerMethodField(help_text="US dollars; null where a price is not known.")
    actions = serializers.ListField(
        child=serializers.ChoiceField(("continue", "retry", "tool_results", "edit")),
        help_text="What can be done next: `continue` (POST …/continue/), `retry` (a turn with `regenerate`), "
        "`tool_results` (POST …/tool-results/), `edit` (a turn with the same `parent` as the question).",
    )

    class Meta:
        model = Turn
        fields = (
            "id",
            "conversation",
            "status",
            "model",
            "stop_reason",
            "stop_sequence",
            "stop_details",
            "error",
            "position",
            "messages",
            "usage",
            "cost",
            "actions",
            "user_message",
            "created_at",
            "started_at",
            "first_delta_at",
            "finished_at",
        )

    @extend_schema_field(Json(shape=event_types.UsageSum))
    def get_usage(self, turn: Turn) -> dict[str, int]:
        """Return the sums over the turn's upstream requests."""
        return ledger.usage_sum(turn.usage.all())

    def get_cost(self, turn: Turn) -> str | None:
        """Return what the turn's upstream requests cost together."""
        return ledger.total_cost(turn.usage.all())


class UserSerializer(serializers.ModelSerializer[User]):
    """A user, to themselves."""

    class Meta:
        model = User
        fields = ("id", "username", "email", "first_name", "last_name", "is_staff")
