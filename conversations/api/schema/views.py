"""The OpenAPI document and its browser."""

from __future__ import annotations

from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from conversations.api.queries import DocumentQuery, Queried


class Document(Queried, SpectacularAPIView):
    """The document, as YAML or JSON."""

    queries = {"get": DocumentQuery}


class Browser(Queried, SpectacularSwaggerView):
    """Swagger UI."""
