"""Data that a JSON Schema describes, out of text, images and documents; see `extract`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from extraction.python_api import Extracted, aextract, extract

__all__ = ["Extracted", "aextract", "extract"]


def __getattr__(name: str) -> Any:
    """Return a name of the Python API, imported when it is asked for: Django imports this before there are models."""
    if name in __all__:
        from extraction import python_api

        return getattr(python_api, name)
    raise AttributeError(name)
