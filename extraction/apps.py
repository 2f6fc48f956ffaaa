from __future__ import annotations

from django.apps import AppConfig


class ExtractionConfig(AppConfig):
    """Schema-checked JSON from text, images and documents."""

    name = "extraction"
