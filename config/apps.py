from __future__ import annotations

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate


class ConfigAppConfig(AppConfig):
    """The app of the project's own commands, which compose the parts into processes."""

    name = "config"

    def ready(self) -> None:
        """Register the deployment checks, and create the reviewers' group after migrations.

        The group is created after the last app has created its permissions.
        """
        from config import system_checks  # noqa: F401
        from config.reviewers import make_group

        last = list(apps.get_app_configs())[-1]
        post_migrate.connect(make_group, sender=last, dispatch_uid="reviewers' group")
