"""The paths under `/api/`."""

from __future__ import annotations

from django.urls import path
from rest_framework.routers import SimpleRouter

from conversations.api.accounts import Login, Logout, LogoutAll, Me, WebSocketTicket
from conversations.api.attachments import AttachmentContent, Attachments
from conversations.api.conversations import ConversationViewSet
from conversations.api.models import Models
from conversations.api.openings import AccessLog
from conversations.api.schema.views import Browser, Document
from conversations.api.turns import TurnViewSet
from conversations.api.usage import UsageRecords, UsageSums
from conversations.ws.document import AsyncApi

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
    path("me/access-log/", AccessLog.as_view(), name="access-log"),
    path("usage/", UsageSums.as_view(), name="usage"),
    path("usage/records/", UsageRecords.as_view(), name="usage-records"),
    path("models/", Models.as_view(), name="models"),
    path("attachments/", Attachments.as_view(), name="attachments"),
    path("attachments/<str:pk>/content/", AttachmentContent.as_view(), name="attachment-content"),
    path("schema/", Document.as_view(), name="schema"),
    path("docs/", Browser.as_view(url_name="schema"), name="docs"),
    path("asyncapi/", AsyncApi.as_view(), name="asyncapi"),
]
