"""The paths of the extraction page."""

from __future__ import annotations

from django.urls import path

from extraction.front.views import batch, extraction, new, sample

urlpatterns = [
    path("extract/", new, name="extract"),
    path("extract/<uuid:id>/", extraction, name="extract-one"),
    path("extract/batches/<uuid:id>/", batch, name="extract-batch"),
    path("extract/samples/<str:name>", sample, name="extract-sample"),
]
