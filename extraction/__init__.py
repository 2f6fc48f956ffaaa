"""Extracting data that a JSON Schema describes from text, images and documents; see `extract`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from extraction.python_api import Extracted, aextract, extract

__all__ = ["Extracted", "aextract", "extract"]


def __getattr__(name: str) -> Any:
    """Import a name of the Python API on first use: Django imports this package before models can be."""
    if name in __all__:
        from extraction import python_api

        return getattr(python_api, name)
    raise AttributeError(name)
