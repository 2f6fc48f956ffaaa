"""How answers are written."""

from __future__ import annotations

from typing import Any

from rest_framework.renderers import JSONRenderer
from rest_framework.utils.encoders import JSONEncoder

from conversations import exact_json


class _ExactEncoder(JSONEncoder):
    """DRF's encoder, but for Decimals: they are numbers."""

    def encode(self, o: Any) -> str:
        """Return the value as JSON."""
        return exact_json.dumps(
            o,
            ascii=self.ensure_ascii,
            indent=self.indent,
            separators=(self.item_separator, self.key_separator),
            default=self.default,
        )


class ExactJSONRenderer(JSONRenderer):
    """JSON in which a Decimal is a number with all of its digits. (Amounts of money are strings by then.)"""

    encoder_class = _ExactEncoder
