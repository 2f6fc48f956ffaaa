"""The shapes of the contract (api.md)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from conversations.api.content_field import ContentField
from conversations.api.serializer_fields import Id, Integer, Json, Number, StrictSerializer, String
from conversations.content import block_checks, sources
from conversations.contract import error_types, event_types, input_blocks, output_blocks, wire
from conversations.contract import setting_types as shapes
from conversations.models import Message, Turn, User
from conversations.services.billing import ledger
from conversations.services.turns.queued_turns import OnActive
from conversations.services.turns.turn_settings import NAMES
from conversations.services.turns.turns import Asked


def moment(value: datetime | None) -> str | None:
    """Return a time in the API's format."""
    return None if value is None else value.isoformat().replace("+00:00", "Z")


class SettingsSerializer(StrictSerializer):
    """The settings of requests to Claude. Null resets a setting to the platform's default."""

    model = String(required=False, allow_null=True, max_length=200)
    system = Json(str, list, shape=input_blocks.SystemParam, required=False, allow_null=True)
    max_tokens = Integer(required=False, allow_null=True, min_value=1, max_value=10_000_000)
    temperature = Number(required=False, allow_null=True, min_value=0, max_value=1)
    stop_sequences = serializers.ListField(child=String(trim_whitespace=False), required=False, allow_null=True)
    thinking = Json(dict, shape=shapes.Thinking, required=False, allow_null=True)
    effort = String(required=False, allow_null=True, max_length=20)
    tools = Json(list, shape=list[shapes.ToolParam], required=False, allow_null=True)
    tool_choice = Json(dict, shape=shapes.ToolChoice, required=False, allow_null=True)


@extend_schema_serializer(component_name="NewTurn")
class TurnRequestSerializer(SettingsSerializer):
    """The content of a new user message, or the answer to regenerate."""

    content = ContentField(required=False)
    parent = Id(required=False, allow_null=True)  # type: ignore[assignment]
    regenerate = Id(required=False)
    on_active = serializers.ChoiceField(
        [each.value for each in OnActive],
        required=False,
        help_text="What happens if another turn of the conversation is active: `reject` (409, the default), `queue` "
        "(the new turn begins when the active one has ended), or `interrupt` (the active turn is stopped, and the "
        "new one begins).",
    )

    def validate(self, attrs: dict[str, object]) -> dict[str, object]:
        """Require one of content and regenerate, and only the fields that go with it."""
        if ("content" in attrs) == ("regenerate" in attrs):
            raise serializers.ValidationError({"content": "Give either `content` or `regenerate`, not both."})
        if "regenerate" in attrs and "parent" in attrs:
            raise serializers.ValidationError(
                {"parent": "Must not be given with `regenerate`: the new answer becomes a sibling of the old one."}
            )
        return attrs


def asked_in(values: dict[str, Any]) -> Asked:
    """Return the request in the validated values of a `TurnRequestSerializer`."""
    return Asked(
        content=values.get("content"),
        parent=values.get("parent"),
        at_leaf="parent" not in values,
        regenerate=values.get("regenerate"),
        settings={name: values[name] for name in NAMES if name in values},
        on_active=OnActive(values.get("on_active", OnActive.REJECT)),
    )


class ToolResultsSerializer(StrictSerializer):
    """Results of a client's tools."""

    results = Json(list, shape=input_blocks.ToolResults)

    def validate_results(self, results: list[object]) -> list[wire.Block]:
        """Return the results as `tool_result` blocks. Raises where they are not well-formed."""
        return block_checks.checked_results(results)


class TurnMessageSerializer(serializers.ModelSerializer[Any]):
    """A message that a turn produced."""

    content = Json(
        shape=list[output_blocks.ContentBlock], help_text="Content blocks in Claude's format; attachments have a URL."
    )
    parent = serializers.UUIDField(source="parent_id", allow_null=True, help_text="Null for a root.")  # type: ignore[assignment]
    turn = serializers.UUIDField(
        source="turn_id", allow_null=True, help_text="Null if the message was imported or copied."
    )
    stop_reason = Json(shape=error_types.StopReason, allow_null=True)

    class Meta:
        model = Message
        fields: tuple[str, ...] = ("id", "parent", "role", "content", "turn", "stop_reason", "created_at")

    def to_representation(self, instance: Any) -> dict[str, object]:
        """Return the fields of a message, or of a row with its columns."""
        return {
            "id": str(instance.id),
            "parent": instance.parent_id and str(instance.parent_id),
            "role": instance.role,
            "content": sources.with_urls(instance.content),
            "turn": instance.turn_id and str(instance.turn_id),
            "stop_reason": instance.stop_reason,
            "created_at": moment(instance.created_at),
        }


class MessageSerializer(TurnMessageSerializer):
    """A message on the requested path."""

    siblings = serializers.IntegerField(help_text="The number of messages with the same parent, including this one.")

    class Meta(TurnMessageSerializer.Meta):
        fields = (*TurnMessageSerializer.Meta.fields, "siblings")

    def to_representation(self, instance: Any) -> dict[str, object]:
        """Return the fields of a message, and how many siblings it has."""
        return {**super().to_representation(instance), "siblings": instance.siblings}


class NodeSerializer(serializers.ModelSerializer[Message]):
    """A message as a node of its conversation's tree."""

    parent = serializers.UUIDField(source="parent_id", allow_null=True, help_text="Null for a root.")  # type: ignore[assignment]

    class Meta:
        model = Message
        fields = ("id", "parent", "role", "created_at")


class CostSerializer(serializers.Serializer[object]):
    """What several upstream requests used and cost."""

    usage = Json(shape=event_types.UsageSum, read_only=True)
    cost = serializers.CharField(read_only=True, allow_null=True, help_text="US dollars; null if a price is unknown.")


SHOWN_STATUS = {str(Turn.Status.PENDING): str(Turn.Status.QUEUED)}
"""The statuses that clients see in place of internal ones."""


class TurnSerializer(serializers.ModelSerializer[Turn]):
    """A turn. Its messages, usage and cost are final when it has ended."""

    messages = TurnMessageSerializer(many=True, help_text="The messages that the turn produced, oldest first.")
    status = serializers.ChoiceField([each for each in Turn.Status.choices if each[0] not in SHOWN_STATUS])
    stop_reason = Json(shape=error_types.StopReason, allow_null=True)
    stop_details = Json(shape=error_types.StopDetails, allow_null=True)
    error = Json(shape=error_types.Failure, allow_null=True)
    conversation = serializers.UUIDField(source="conversation_id")
    user = serializers.CharField(
        source="user.username", help_text="The name of the user who created the turn, and is charged for it."
    )
    user_message = serializers.UUIDField(
        source="user_message_id",
        allow_null=True,
        help_text="The message that the turn answers; null while it is queued.",
    )
    queued_content = Json(
        shape=list[output_blocks.ContentBlock],
        allow_null=True,
        help_text="The content of a turn that is queued, or was cancelled before it began; otherwise null.",
    )
    usage = Json(shape=event_types.UsageSum)
    cost = serializers.CharField(allow_null=True, help_text="US dollars; null if a price is unknown.")
    actions = serializers.ListField(
        child=serializers.ChoiceField(("continue", "retry", "tool_results", "edit")),
        help_text="The possible next requests: `continue` (POST …/continue/), `retry` (a turn with `regenerate`), "
        "`tool_results` (POST …/tool-results/), `edit` (a turn with the same `parent` as the question).",
    )

    class Meta:
        model = Turn
        fields = (
            "id",
            "conversation",
            "user",
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
            "queued_content",
            "created_at",
            "started_at",
            "first_delta_at",
            "finished_at",
        )

    def to_representation(self, instance: Turn) -> dict[str, object]:
        """Return the fields of a turn; its messages and usage are those that were read with it, or are read now."""
        requests, content = list(instance.usage.all()), instance.queued_content
        messages = TurnMessageSerializer()
        return {
            "id": str(instance.id),
            "conversation": str(instance.conversation_id),
            "user": instance.user.username,
            "status": SHOWN_STATUS.get(str(instance.status), str(instance.status)),
            "model": instance.model,
            "stop_reason": instance.stop_reason,
            "stop_sequence": instance.stop_sequence,
            "stop_details": instance.stop_details,
            "error": instance.error,
            "position": instance.position,
            "messages": [messages.to_representation(each) for each in instance.messages.all()],
            "usage": ledger.usage_sum(requests),
            "cost": ledger.total_cost(requests),
            "actions": instance.actions,
            "user_message": instance.user_message_id and str(instance.user_message_id),
            "queued_content": content and sources.with_urls(content),
            "created_at": moment(instance.created_at),
            "started_at": moment(instance.started_at),
            "first_delta_at": moment(instance.first_delta_at),
            "finished_at": moment(instance.finished_at),
        }


class UserSerializer(serializers.ModelSerializer[User]):
    """The account of the authenticated user."""

    class Meta:
        model = User
        fields = ("id", "username", "email", "first_name", "last_name", "is_staff")

    def to_representation(self, instance: User) -> dict[str, object]:
        """Return the fields of a user."""
        names = ("username", "email", "first_name", "last_name", "is_staff")
        return {"id": str(instance.id), **{name: getattr(instance, name) for name in names}}
