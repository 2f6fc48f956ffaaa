"""Types of JSON values whose shape is not known here.

Known shapes are TypedDicts (conversations.contract); values that are only passed on are `object`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, TypeAlias

JSON: TypeAlias = "bool | int | float | Decimal | str | list[JSON] | dict[str, JSON] | None"
"""Numbers are Decimals where they were read by `exact_json`."""

JSONObject: TypeAlias = "dict[str, JSON]"

JSONSchema: TypeAlias = dict[str, Any]
"""A JSON Schema: what a value is depends on its keyword, and is looked at where the keyword is known."""
