from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig


class ExtractionConfig(AppConfig):
    """Schema-checked JSON from text, images and documents."""

    name = "extraction"

    def ready(self) -> None:
        """Import the modules whose receivers book and release what a deleted row held, whichever process deletes it."""
        for name in ("batch_items", "extractions"):
            import_module(f"extraction.services.{name}")
