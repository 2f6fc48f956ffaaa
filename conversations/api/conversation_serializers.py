"""The shapes of conversations (api.md)."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from typing_extensions import Unpack

from conversations.api.serializer_fields import Boolean, FieldOptions, Id, Json, StrictSerializer, String
from conversations.api.serializers import CostSerializer, SettingsSerializer, moment
from conversations.contract import input_blocks
from conversations.models.conversation import TAG_LENGTH
from conversations.services.turns.turn_settings import NAMES

TAGS_LIMIT = 50


class TagsField(serializers.ListField):
    """Words to find something by, each once."""

    def __init__(self, **options: Unpack[FieldOptions]) -> None:
        super().__init__(child=String(max_length=TAG_LENGTH), max_length=TAGS_LIMIT, **options)

    def to_internal_value(self, data: Any) -> list[str]:
        """Return the tags in their order, without repetitions. Raises ValidationError for any other type."""
        return list(dict.fromkeys(super().to_internal_value(data)))


class ConversationSerializer(SettingsSerializer):
    """A conversation, with the settings of its turns."""

    shows_every_field = True
    """For the OpenAPI document: fields that are optional in a request are always present in a response."""

    id = serializers.UUIDField(read_only=True)
    title = String(required=False, allow_blank=True, max_length=500)
    metadata = Json(dict, shape=input_blocks.Metadata, required=False)
    tags = TagsField(required=False)
    archived = Boolean(required=False)
    temporary = Boolean(
        required=False,
        help_text="Whether the conversation is deleted 24 hours after its last turn. Can't be changed after its "
        "creation.",
    )
    active_leaf = serializers.UUIDField(
        source="active_leaf_id", read_only=True, allow_null=True, help_text="Null if the conversation has no messages."
    )
    owner = serializers.CharField(source="owner_name", read_only=True, help_text="The owner's user name.")
    role = serializers.ChoiceField(
        ["owner", "reader", "writer"], read_only=True, help_text="The caller's role in the conversation."
    )
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)

    def to_representation(self, instance: Any) -> dict[str, object]:
        """Return the fields of a conversation, or of a row with its columns, that is seen by somebody."""
        return {
            **{name: instance.settings.get(name) for name in NAMES},
            "id": str(instance.id),
            "title": instance.title,
            "metadata": instance.metadata,
            "tags": instance.tags,
            "archived": instance.archived,
            "temporary": instance.temporary,
            "active_leaf": instance.active_leaf_id and str(instance.active_leaf_id),
            "owner": instance.owner_name,
            "role": str(instance.role),
            "created_at": moment(instance.created_at),
            "updated_at": moment(instance.updated_at),
        }


class ListedConversationSerializer(ConversationSerializer):
    """A conversation in a list."""

    snippet = serializers.CharField(
        read_only=True,
        allow_null=True,
        help_text="The best match of `q`: escaped text with `<mark>` as its only HTML tag. Null without `q`.",
    )

    def to_representation(self, instance: Any) -> dict[str, object]:
        """Return the fields of a conversation, and what the search has added to it."""
        return {**super().to_representation(instance), "snippet": instance.snippet}


class ActivateSerializer(StrictSerializer):
    """The message from which the next turn continues."""

    leaf = Id()


class ForkSerializer(StrictSerializer):
    """The last message of the new conversation."""

    message = Id()


class ConversationDetailSerializer(CostSerializer, ConversationSerializer):
    """A conversation, with its cost."""


class BranchUsageSerializer(CostSerializer):
    """The usage and cost of a branch of a conversation."""

    leaf = serializers.UUIDField(read_only=True, allow_null=True, help_text="Null if the conversation has no messages.")
