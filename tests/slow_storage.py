"""A storage each of whose operations waits until a test releases it, independent of the machine's speed."""

from __future__ import annotations

import os
import time
import uuid
from pathlib import Path
from typing import Any

from django.core.files.storage import FileSystemStorage

FOLDER = "TEST_STORAGE_QUEUE"  # environment variable with the folder in which each waiting operation has a file
PAUSE = 0.01  # seconds between looks


class SlowStorage(FileSystemStorage):
    """The local folder, each operation of which waits until its file in the queue folder is removed."""

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
    """Wait until this operation is released."""
    waiting = Path(os.environ[FOLDER], uuid.uuid4().hex)
    waiting.touch()
    while waiting.exists():
        time.sleep(PAUSE)
