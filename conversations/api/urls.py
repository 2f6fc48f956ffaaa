"""The paths under `/api/`."""

from __future__ import annotations

from django.urls import path
from rest_framework.routers import SimpleRouter

from conversations.api.access_log_views import AccessLog
from conversations.api.account_views import Login, Logout, LogoutAll, Me, WebSocketTicket
from conversations.api.attachment_views import AttachmentContent, Attachments
from conversations.api.conversation_views import ConversationViewSet
from conversations.api.deletion_views import Deletions
from conversations.api.feedback_views import MessageFeedback
from conversations.api.model_views import Models
from conversations.api.schema.document_views import Browser, Document
from conversations.api.share_views import OneShare, Shares
from conversations.api.turn_views import TurnViewSet
from conversations.api.usage_views import UsageRecords, UsageSums

router = SimpleRouter()
router.register("conversations", ConversationViewSet, basename="conversation")
router.register("turns", TurnViewSet, basename="turn")

urlpatterns = [
    *router.urls,
    path("auth/login/", Login.as_view(), name="login"),
    path("auth/logout/", Logout.as_view(), name="logout"),
    path("auth/logoutall/", LogoutAll.as_view(), name="logoutall"),
    path("auth/ws-ticket/", WebSocketTicket.as_view(), name="ws-ticket"),
    path("me/", Me.as_view(), name="me"),
    path("me/deletions/", Deletions.as_view(), name="deletions"),
    path("me/access-log/", AccessLog.as_view(), name="access-log"),
    path("usage/", UsageSums.as_view(), name="usage"),
    path("usage/records/", UsageRecords.as_view(), name="usage-records"),
    path("conversations/<str:pk>/shares/", Shares.as_view(), name="shares"),
    path("conversations/<str:pk>/shares/<str:share>/", OneShare.as_view(), name="share"),
    path("messages/<str:pk>/feedback/", MessageFeedback.as_view(), name="message-feedback"),
    path("models/", Models.as_view(), name="models"),
    path("attachments/", Attachments.as_view(), name="attachments"),
    path("attachments/<str:pk>/content/", AttachmentContent.as_view(), name="attachment-content"),
    path("schema/", Document.as_view(), name="schema"),
    path("docs/", Browser.as_view(url_name="schema"), name="docs"),
]
