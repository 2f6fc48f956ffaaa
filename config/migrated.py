"""Whether the database has the tables of this code; processes wait for them before they work."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from django import db
from django.apps import apps
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from conversations.database import in_database

logger = logging.getLogger(__name__)

LOOK = 2.0  # seconds between checks whether the migrations have been applied


def missing_migrations() -> list[str]:
    """Return the names, as "app.name", of this code's migrations that the database lacks.

    Only the files' names are read: importing the migrations would take as long as importing Django.
    """
    applied = {f"{app}.{name}" for app, name in MigrationRecorder(connection).applied_migrations()}
    known = {
        f"{app.label}.{file.stem}"
        for app in apps.get_app_configs()
        for file in Path(app.path, "migrations").glob("[!_~]*.py")
    }
    return sorted(known - applied)


class Migrations:
    """The state of the database's migrations. Once all were applied, it is not checked again."""

    def __init__(self) -> None:
        self._applied = False
        self.missing: str | None = None
        """Why the process waits, for whoever runs it."""

    async def applied(self) -> bool:
        """Return whether the database has all migrations of this code; log once which are missing."""
        if not self._applied:
            missing = await in_database(_what_is_missing)
            if missing and missing != self.missing:
                logger.error("%s", missing)
            elif self.missing and not missing:
                logger.info("The database is ready.")
            self.missing, self._applied = missing, missing is None
        return self._applied

    async def wait(self) -> None:
        """Return when the database has all migrations."""
        while not await self.applied():  # noqa: ASYNC110 - it is another process that applies them
            await asyncio.sleep(LOOK)


def _what_is_missing() -> str | None:
    try:
        missing = missing_migrations()
    except db.Error as error:
        return f"Waiting for PostgreSQL: {error}"
    if not missing:
        return None
    return f"The database lacks {len(missing)} migrations, the first is {missing[0]}: run `python manage.py migrate`."


migrations = Migrations()
"""The process's single instance."""
