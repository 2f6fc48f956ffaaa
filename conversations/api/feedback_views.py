"""Rating answers, and commenting on them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from typing_extensions import Unpack

from conversations.api.queries import Queried
from conversations.api.requesters import user_of
from conversations.api.serializer_fields import FieldOptions, StrictSerializer, String
from conversations.api.serializers import moment
from conversations.models import Feedback
from conversations.services import feedback

COMMENT_LIMIT = 10_000  # characters


class RatingField(serializers.ChoiceField):
    """1 or -1 as a number; DRF's own field would also take it as a string."""

    def __init__(self, **options: Unpack[FieldOptions]) -> None:
        super().__init__(choices=[1, -1], **options)

    def to_internal_value(self, data: Any) -> Any:
        """Return the rating. Raises ValidationError for anything else."""
        if type(data) is not int or data not in (1, -1):
            raise serializers.ValidationError("Must be 1, -1 or null.")
        return data


class NewFeedbackSerializer(StrictSerializer):
    """A rating, a comment, or both. A null rating without a comment removes the feedback."""

    rating = RatingField(allow_null=True)
    comment = String(required=False, allow_blank=True, max_length=COMMENT_LIMIT, default="")


class FeedbackSerializer(serializers.Serializer[Feedback]):
    """The caller's own feedback on a message."""

    message = serializers.UUIDField(source="message_id")
    rating = serializers.ChoiceField([1, -1], allow_null=True)
    comment = serializers.CharField(allow_blank=True)
    updated_at = serializers.DateTimeField(allow_null=True, help_text="Null if there is no feedback.")

    def to_representation(self, instance: Feedback) -> dict[str, object]:
        """Return the fields of feedback that is stored, or of none."""
        return {
            "message": str(instance.message_id),
            "rating": instance.rating,
            "comment": instance.comment,
            "updated_at": None if instance._state.adding else moment(instance.updated_at),
        }


class MessageFeedback(Queried):
    """The caller's feedback on one message."""

    with_body = ("put",)

    @extend_schema(
        operation_id="getFeedback",
        summary="Get feedback on a message",
        description="Returns the caller's own rating of a message and comment on it.",
        responses=FeedbackSerializer,
    )
    def get(self, request: Request, pk: str) -> Response:
        """Answer with the caller's feedback on a message."""
        return Response(FeedbackSerializer(feedback.feedback_on(user=user_of(request), message_id=pk)).data)

    @extend_schema(
        operation_id="putFeedback",
        summary="Give feedback on a message",
        description="Replaces the caller's rating of a message and comment on it. A null rating without a comment "
        "removes the feedback.",
        request=NewFeedbackSerializer,
        responses=FeedbackSerializer,
    )
    def put(self, request: Request, pk: str) -> Response:
        """Replace the caller's feedback on a message; answer with it."""
        serializer = NewFeedbackSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        given = feedback.give_feedback(user=user_of(request), message_id=pk, **serializer.validated_data)
        return Response(FeedbackSerializer(given).data)
