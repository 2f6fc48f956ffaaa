"""The URLs of the platform."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from conversations.admin.review import saved
from conversations.ws.asyncapi import AsyncApi

admin.autodiscover()  # here and not when the apps are ready: commands that serve no pages need none of the admin

urlpatterns = [
    path("api/", include("conversations.api.urls")),  # first, since most requests are for it
    path("api/me/", include("conversations.archives.urls")),
    path("api/asyncapi/", AsyncApi.as_view(), name="asyncapi"),
    path("api/extraction/", include("extraction.api.urls")),
    path("admin/saved/<slug:key>/", admin.site.admin_view(saved.opened), name="saved-filter"),
    path("admin/", admin.site.urls),
    path("", include("conversations.front.urls")),
    path("", include("extraction.front.urls")),
]

handler400 = "conversations.api.error_responses.bad_request"
handler403 = "conversations.api.error_responses.permission_denied"
handler404 = "conversations.api.error_responses.page_not_found"
handler500 = "conversations.api.error_responses.server_error"
