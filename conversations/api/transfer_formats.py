"""Exports as JSON, which can be taken in again, and as Markdown, which can be read."""

from __future__ import annotations

import json
from collections.abc import Mapping

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.renderers import BaseRenderer

from conversations.api.conversation_serializers import TagsField
from conversations.api.feedback_views import COMMENT_LIMIT, RatingField
from conversations.api.parsers import StrictJSONParser
from conversations.api.serializer_fields import Boolean, Json, StrictSerializer, String
from conversations.api.serializers import SettingsSerializer
from conversations.content.block_checks import base64_decoded
from conversations.contract import wire
from conversations.contract.output_blocks import ExportedBlock
from conversations.models import Conversation, Message
from conversations.services.transfers import Export, Exported

FORMAT = "colloquy/1"
MESSAGES_LIMIT = 50_000
VALUES_LIMIT = 500_000
BODY_LIMIT = 256 * 1024 * 1024  # bytes
NAMES = {Message.Role.USER: "User", Message.Role.ASSISTANT: "Claude"}


class ExportParser(StrictJSONParser):
    """Parses an export, which may have more in it than other bodies."""

    most = VALUES_LIMIT


class MarkdownRenderer(BaseRenderer):
    """Sends text as it is."""

    media_type = "text/markdown"
    format = "markdown"
    charset = "utf-8"

    def render(
        self, data: object, accepted_media_type: str | None = None, renderer_context: Mapping[str, object] | None = None
    ) -> str:
        """Return the text; an error is no Markdown, and comes as JSON."""
        return data if isinstance(data, str) else json.dumps(data)


class Base64(String):
    """Base64. It stays text until what it stands for is kept: a file is held once, not in every form."""

    def to_internal_value(self, data: object) -> str:
        """Return the text. Raises ValidationError where it is not base64."""
        text = super().to_internal_value(data)
        try:
            base64_decoded(text)
        except ValueError:
            raise serializers.ValidationError("Must be base64.") from None
        return text


@extend_schema_field(Json(shape=ExportedBlock))
class Block(serializers.JSONField):
    """A block as it is; who said it decides what may be in it."""

    def to_internal_value(self, data: object) -> dict[str, object]:
        """Return the object unchanged. Raises ValidationError for any other type."""
        if not isinstance(data, dict):
            raise serializers.ValidationError("Must be an object.")
        return data


class ExportedAttachmentSerializer(StrictSerializer):
    """A file of an exported conversation."""

    media_type = String(max_length=100)
    data = Base64(trim_whitespace=False)  # type: ignore[assignment]


class ExportedFeedbackSerializer(StrictSerializer):
    """A rating of an exported message, and a comment on it."""

    rating = RatingField(allow_null=True)
    comment = String(allow_blank=True, max_length=COMMENT_LIMIT)


class ExportedMessageSerializer(StrictSerializer):
    """A message of an exported conversation."""

    id = String(max_length=100)
    parent = String(max_length=100, allow_null=True)  # type: ignore[assignment]
    role = serializers.ChoiceField(Message.Role.choices)
    content = serializers.ListField(child=Block())
    stop_reason = String(max_length=100, allow_null=True, allow_blank=True, trim_whitespace=False, required=False)
    created_at = serializers.DateTimeField(required=False, allow_null=True)
    feedback = ExportedFeedbackSerializer(required=False, allow_null=True)


class ExportedConversationSerializer(SettingsSerializer):
    """The fields and settings of an exported conversation."""

    title = String(required=False, allow_blank=True, max_length=500)
    metadata = Json(dict, required=False)
    tags = TagsField(required=False)
    temporary = Boolean(
        required=False,
        help_text="Whether the conversation is deleted 24 hours after its last turn, or after its import.",
    )


class ExportSerializer(StrictSerializer):
    """A conversation with all its branches."""

    format = serializers.ChoiceField([FORMAT])
    conversation = ExportedConversationSerializer()
    active_leaf = String(max_length=100, allow_null=True, required=False)
    messages = serializers.ListField(child=ExportedMessageSerializer(), max_length=MESSAGES_LIMIT)
    attachments = serializers.DictField(child=ExportedAttachmentSerializer(), required=False)

    def export(self) -> Export:
        """Return the export, once it has been validated."""
        data = self.validated_data
        return Export(
            fields=dict(data["conversation"]),
            messages=[Exported(**message) for message in data["messages"]],
            active_leaf=data.get("active_leaf"),
            attachments={id: (each["media_type"], each["data"]) for id, each in data.get("attachments", {}).items()},
        )


def as_json(export: Export) -> dict[str, object]:
    """Return an export as `ExportSerializer` takes it."""
    return {
        "format": FORMAT,
        "conversation": export.fields,
        "active_leaf": export.active_leaf,
        "messages": [ExportedMessageSerializer(message).data for message in export.messages],
        "attachments": {
            id: ExportedAttachmentSerializer({"media_type": media_type, "data": data}).data
            for id, (media_type, data) in export.attachments.items()
        },
    }


def as_markdown(conversation: Conversation, path: list[Message]) -> str:
    """Return what was said on the way to the active leaf as Markdown."""
    parts = [f"# {conversation.title or 'Conversation'}"]
    for message in path:
        parts.append(f"## {NAMES[Message.Role(message.role)]}")
        parts += [_block(block) for block in message.content]
    return "\n\n".join(parts) + "\n"


def _block(block: wire.Block) -> str:
    match block.get("type"):
        case "text":
            return str(block.get("text", ""))
        case "thinking":
            return "\n".join(f"> {line}" for line in str(block.get("thinking", "")).splitlines())
        case "image" | "document" as kind:
            source: Mapping[str, object] = block.get("source") or {}
            return f"*[{kind}: {source.get('url') or source.get('media_type') or source.get('type')}]*"
        case _:
            return f"```json\n{json.dumps(block, indent=2, ensure_ascii=False)}\n```"
