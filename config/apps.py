from __future__ import annotations

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate


class ConfigAppConfig(AppConfig):
    """The composition: its commands put the parts together into processes."""

    name = "config"

    def ready(self) -> None:
        """Register the checks of a deployment, and have the reviewers' group made after migrations.

        It is made when the last app has its permissions.
        """
        from config import system_checks  # noqa: F401
        from config.reviewers import make_group

        last = list(apps.get_app_configs())[-1]
        post_migrate.connect(make_group, sender=last, dispatch_uid="reviewers' group")
