"""The OpenAPI document and its browser, which are not in the document themselves."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView
from rest_framework.request import Request

from conversations.api.queries import DOCUMENT_FORMATS, DocumentQuery, Queried


@lru_cache(maxsize=1)
def openapi_document() -> dict[str, object]:
    """Return the document: it takes half a second to make, and is the same for everybody as long as a process lives."""
    document: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return document


class MadeOnce(SchemaGenerator):
    """The generator that the view asks at each request."""

    def get_schema(self, request: Request | None = None, public: bool = False) -> dict[str, object]:
        """Return the one document."""
        return openapi_document()


class Document(Queried, SpectacularAPIView):
    """The document, as YAML or JSON."""

    schema = None
    queries = {"get": DocumentQuery}
    generator_class = MadeOnce

    def get_format_suffix(self, **kwargs: object) -> str | None:
        """Return the format that the query names, which DRF takes before `Accept` as it does a path's suffix."""
        asked = self.request.query_params.get("format")
        return asked if asked in DOCUMENT_FORMATS else None


class Browser(Queried, SpectacularSwaggerView):
    """A page of Swagger UI that shows the document."""

    schema = None
