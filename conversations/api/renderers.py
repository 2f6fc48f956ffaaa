"""The renderers of the API's responses."""

from __future__ import annotations

from collections.abc import Mapping

import orjson
from rest_framework import renderers
from rest_framework.utils.encoders import JSONEncoder

from conversations import exact_json

_encoder = JSONEncoder()


class JSONRenderer(renderers.JSONRenderer):
    """JSON by orjson, and by DRF for integers beyond 64 bits."""

    def render(
        self, data: object, accepted_media_type: str | None = None, renderer_context: Mapping[str, object] | None = None
    ) -> bytes:
        """Encode the data as JSON, indented if the media type asks for that."""
        if data is not None and self.get_indent(accepted_media_type or "", renderer_context or {}) is None:
            try:
                return orjson.dumps(data, default=_encoder.default, option=orjson.OPT_PASSTHROUGH_DATETIME)
            except TypeError:
                pass
        return super().render(data, accepted_media_type, renderer_context)


class _ExactEncoder(JSONEncoder):
    """DRF's encoder, except that Decimals are numbers."""

    def encode(self, o: object) -> str:
        """Return the value as JSON."""
        return exact_json.dumps(
            o,
            ascii=self.ensure_ascii,
            indent=self.indent,
            separators=(self.item_separator, self.key_separator),
            default=self.default,
        )


class ExactJSONRenderer(renderers.JSONRenderer):
    """JSON in which a Decimal is a number with all of its digits. (Amounts of money are strings by then.)"""

    encoder_class = _ExactEncoder
