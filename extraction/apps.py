from __future__ import annotations

from django.apps import AppConfig


class ExtractionConfig(AppConfig):
    """Schema-checked JSON from text, images and documents."""

    name = "extraction"

    def ready(self) -> None:
        """Names the work that engines run."""
        from conversations.engine import register
        from extraction.work import Extractions

        register(Extractions)
