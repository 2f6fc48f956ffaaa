"""Django, set up once for the processes that are forked from this one, each of which has its own settings."""

from __future__ import annotations

import importlib
import os
import sys

import django
from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.utils.functional import empty

from config import local

django.setup(set_prefix=False)

READ_AGAIN = {"COLLOQUY_TOOLS", "DATABASES", "LOGGING", "MEDIA_ROOT", "UNFOLD"}
"""Settings that may differ between processes: they are read again, some of them at every use."""


def take_settings() -> bool:
    """Read the settings from this process's environment.

    Return whether the modules imported so far are valid with these settings: whether each setting that was used during
    the imports has the same value. If not, the process has to start from scratch.
    """
    before = {name: value for name, value in vars(settings).items() if name.isupper() and name not in READ_AGAIN}
    _forget_settings()
    try:
        same = all(getattr(settings, name) == value for name, value in before.items())
    except ImproperlyConfigured:
        return True  # whoever reads them next reports the error
    if same:
        apps.get_app_config("conversations").ready()  # which imports the tools
    return same


def _forget_settings() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    importlib.reload(local)
    for module in ("config.settings", "config.limits"):
        sys.modules.pop(module, None)
    settings._wrapped = empty
    del connections["default"]
    connections._settings = None  # type: ignore[attr-defined]
    del connections.settings
