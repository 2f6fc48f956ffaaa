"""A storage that takes seconds for everything, as a bucket far away does on a bad day."""

from __future__ import annotations

import time
from typing import Any

from django.core.files.storage import FileSystemStorage

SECONDS = 2.5


class SlowStorage(FileSystemStorage):
    """The local folder, after a while."""

    def _open(self, *args: Any, **kwargs: Any) -> Any:
        time.sleep(SECONDS)
        return super()._open(*args, **kwargs)  # type: ignore[misc]

    def _save(self, *args: Any, **kwargs: Any) -> Any:
        time.sleep(SECONDS)
        return super()._save(*args, **kwargs)  # type: ignore[misc]

    def exists(self, name: str) -> bool:
        time.sleep(SECONDS)
        return super().exists(name)

    def delete(self, name: str) -> None:
        time.sleep(SECONDS)
        super().delete(name)
