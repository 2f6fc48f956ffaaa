"""The platform's settings with a storage each of whose operations waits until a test releases it."""

from __future__ import annotations

from config.settings import *  # noqa: F403
from config.settings import STORAGES as USUAL

STORAGES = {**USUAL, "default": {"BACKEND": "tests.slow_storage.SlowStorage"}}
