"""The admin's pages of feedback."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from conversations.admin.readonly import ReadOnlyAdmin
from conversations.models import Feedback


class CommentFilter(admin.SimpleListFilter):
    """A filter by whether there is a comment; comments themselves can't be searched."""

    title = "comment"
    parameter_name = "comment"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Feedback]) -> list[tuple[str, str]]:
        """Return the two choices."""
        return [("yes", "With a comment"), ("no", "Without")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Feedback]) -> QuerySet[Feedback]:
        """Return the chosen rows."""
        if self.value() not in ("yes", "no"):
            return queryset
        return queryset.exclude(comment="") if self.value() == "yes" else queryset.filter(comment="")


@admin.register(Feedback)
class FeedbackAdmin(ReadOnlyAdmin):
    """Ratings and comments. The list does not show comments: to read one, it has to be opened."""

    private = "user"
    list_display = ("updated_at", "user", "rating", "has_comment", "answer")
    list_filter = ("rating", CommentFilter, "updated_at")
    list_select_related = ("user",)
    found_by_id = ("pk", "message_id", "message__conversation_id")
    found_by_user = "user"
    search_help_text = "The id of a message or a conversation, or a user's name, as it is."
    fields = ("user", "rating", "comment", "answer", "created_at", "updated_at", "id")
    readonly_fields = fields

    @admin.display(description="comment", boolean=True)
    def has_comment(self, feedback: Feedback) -> bool:
        """Return whether there is a comment."""
        return bool(feedback.comment)

    @admin.display(description="answer")
    def answer(self, feedback: Feedback) -> SafeString:
        """Return a link to the message."""
        url = reverse("admin:conversations_message_change", args=[feedback.message_id])
        return format_html('<a href="{}">{}</a>', url, feedback.message_id)
