"""The paths of archives, under `/api/me/`."""

from __future__ import annotations

from django.urls import path

from conversations.archives.views import CancelImport, Export, Import, Imports, OneImport

urlpatterns = [
    path("export/", Export.as_view(), name="export"),
    path("import/", Import.as_view(), name="import"),
    path("imports/", Imports.as_view(), name="imports"),
    path("imports/<str:pk>/", OneImport.as_view(), name="one-import"),
    path("imports/<str:pk>/cancel/", CancelImport.as_view(), name="cancel-import"),
]
