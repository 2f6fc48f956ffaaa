"""Types of JSON values whose shape is not known here.

Where a shape is known it is a TypedDict (conversations.contract); where a value is only passed on it is an `object`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, TypeAlias

JSON: TypeAlias = "bool | int | float | Decimal | str | list[JSON] | dict[str, JSON] | None"
"""Numbers are Decimals where they were read by `exact_json`."""

JSONObject: TypeAlias = "dict[str, JSON]"

JSONSchema: TypeAlias = dict[str, Any]
"""A JSON Schema: what a value is depends on its keyword, and is looked at where the keyword is known."""
