"""A storage whose every use waits to be let through: as slow as a test likes, however fast or busy the machine is."""

from __future__ import annotations

import os
import time
import uuid
from pathlib import Path
from typing import Any

from django.core.files.storage import FileSystemStorage

FOLDER = "TEST_STORAGE_QUEUE"  # the variable that names the folder in which each use that waits has a file
PAUSE = 0.01  # seconds between looks


class SlowStorage(FileSystemStorage):
    """The local folder, each of whose uses waits until its file in the queue is removed."""

    def _open(self, *args: Any, **kwargs: Any) -> Any:
        wait()
        return super()._open(*args, **kwargs)  # type: ignore[misc]

    def _save(self, *args: Any, **kwargs: Any) -> Any:
        wait()
        return super()._save(*args, **kwargs)  # type: ignore[misc]

    def exists(self, name: str) -> bool:
        wait()
        return super().exists(name)

    def delete(self, name: str) -> None:
        wait()
        super().delete(name)


def wait() -> None:
    """Return when this use is let through."""
    waiting = Path(os.environ[FOLDER], uuid.uuid4().hex)
    waiting.touch()
    while waiting.exists():
        time.sleep(PAUSE)
