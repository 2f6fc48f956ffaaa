"""The OpenAPI document and its browser, which are not in the document themselves."""

from __future__ import annotations

from typing import Any

from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from conversations.api.queries import DOCUMENT_FORMATS, DocumentQuery, Queried


class Document(Queried, SpectacularAPIView):
    """The document, as YAML or JSON."""

    schema = None
    queries = {"get": DocumentQuery}

    def get_format_suffix(self, **kwargs: Any) -> str | None:
        """Return the format that the query names, which DRF takes before `Accept` as it does a path's suffix."""
        asked = self.request.query_params.get("format")
        return asked if asked in DOCUMENT_FORMATS else None


class Browser(Queried, SpectacularSwaggerView):
    """A page of Swagger UI that shows the document."""

    schema = None
