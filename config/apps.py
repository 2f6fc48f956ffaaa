from __future__ import annotations

from django.apps import AppConfig


class ConfigAppConfig(AppConfig):
    """The composition: its commands put the parts together into processes."""

    name = "config"
