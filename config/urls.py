"""Every path of the platform."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from config.home import home

admin.autodiscover()  # here and not when the apps are ready: commands that serve no pages need none of the admin

urlpatterns = [
    path("", home, name="home"),
    path("api/", include("conversations.api.urls")),
    path("api/extraction/", include("extraction.api.urls")),
    path("admin/", admin.site.urls),
]

handler400 = "conversations.api.errors.bad_request"
handler403 = "conversations.api.errors.permission_denied"
handler404 = "conversations.api.errors.page_not_found"
handler500 = "conversations.api.errors.server_error"
