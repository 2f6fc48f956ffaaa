"""The endpoints of the OpenAPI document and its browser, which are not part of the document."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView
from rest_framework.request import Request

from conversations.api.queries import DOCUMENT_FORMATS, DocumentQuery, Queried


@lru_cache(maxsize=1)
def openapi_document() -> dict[str, object]:
    """Return the document, which is generated once per process, in half a second."""
    document: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return document


class MadeOnce(SchemaGenerator):
    """A schema generator that returns the cached document."""

    def get_schema(self, request: Request | None = None, public: bool = False) -> dict[str, object]:
        """Return the one document."""
        return openapi_document()


class Document(Queried, SpectacularAPIView):
    """The document, as YAML or JSON."""

    schema = None
    queries = {"get": DocumentQuery}
    generator_class = MadeOnce

    def get_format_suffix(self, **kwargs: object) -> str | None:
        """Return the format in the query, which takes precedence over `Accept`, as a suffix of the path would."""
        asked = self.request.query_params.get("format")
        return asked if asked in DOCUMENT_FORMATS else None


class Browser(Queried, SpectacularSwaggerView):
    """A page of Swagger UI that shows the document."""

    schema = None
