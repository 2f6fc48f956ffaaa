"""Django, set up once for the processes that are forked from here, each of which has settings of its own."""

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

READ_AGAIN = {"COLLOQUY_TOOLS", "DATABASES", "LOGGING", "UNFOLD"}
"""Settings that may differ from those that were read here: they are read again, some of them at every use."""


def take_settings() -> bool:
    """Read the settings from this process's environment.

    Return whether all that has been imported would be the same with them: whether each setting that was read on the
    way has the same value. If it has not, this process has to begin from nothing.
    """
    before = {name: value for name, value in vars(settings).items() if name.isupper() and name not in READ_AGAIN}
    _forget_settings()
    try:
        same = all(getattr(settings, name) == value for name, value in before.items())
    except ImproperlyConfigured:
        return True  # whoever reads them next says so
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
