"""The paths of the chat page."""

from __future__ import annotations

from django.contrib.auth.views import LogoutView
from django.urls import path

from conversations.front.views import Login, chat

urlpatterns = [
    path("", chat, name="home"),
    path("c/<uuid:conversation>/", chat, name="page-conversation"),
    path("login/", Login.as_view(), name="page-login"),
    path("logout/", LogoutView.as_view(next_page="page-login"), name="page-logout"),
]
