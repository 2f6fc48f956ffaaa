"""Columns and keys that several models use."""

from __future__ import annotations

import json
import uuid
from typing import Any, TypeAlias

import uuid_utils.compat
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Expression
from django.db.models.functions import Now
from django.db.models.sql.compiler import SQLCompiler
from psycopg.types.json import Json

from conversations import exact_json

Params: TypeAlias = tuple[str | int, ...]


def uuid7() -> uuid.UUID:
    """Return a key that sorts by creation time; generated here, so that it is known before the row is written."""
    return uuid_utils.compat.uuid7()


class VerbatimJSONField(models.JSONField):
    """JSON that is stored unchanged: in a `json` column, not `jsonb`.

    `jsonb` reorders keys and refuses NUL; Claude requires its blocks unchanged, byte for byte (claude-api.md 2.7, 12).
    """

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        """Return the column's type: JSON that Postgres keeps as text."""
        return "json"

    def get_db_prep_value(self, value: object, connection: BaseDatabaseWrapper, prepared: bool = False) -> Json | None:
        """Return the value as `json`. Django would send `jsonb`, which has lost the order of keys when it is cast."""
        return None if value is None else Json(value, dumps=json.dumps)

    def from_db_value(self, value: Any, expression: Expression, connection: BaseDatabaseWrapper) -> object:
        """Return the value unchanged: psycopg has parsed it."""
        return value


class ExactJSONField(VerbatimJSONField):
    """Verbatim JSON whose numbers also keep their digits when they are read."""

    def get_db_prep_value(self, value: object, connection: BaseDatabaseWrapper, prepared: bool = False) -> Json | None:
        """Return the value in the form that psycopg sends as `json`."""
        return None if value is None else Json(value, dumps=exact_json.dumps)

    def select_format(
        self, compiler: SQLCompiler, sql: str, params: tuple[str | int, ...]
    ) -> tuple[str, tuple[str | int, ...]]:
        """Select the text: psycopg would convert numbers of JSON columns to floats."""
        return f"({sql})::text", params

    def from_db_value(self, value: Any, expression: Expression, connection: BaseDatabaseWrapper) -> object:
        """Parse the text as JSON with exact numbers."""
        return None if value is None else exact_json.loads(value)


class WrittenField(models.DateTimeField):  # type: ignore[type-arg]
    """The time of a row's last write, by the database's clock.

    A new instance has the value at once; after an update, it has to be read again.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "db_default": Now(), "editable": False})

    def pre_save(self, model_instance: models.Model, add: bool) -> object:
        """Return the database's clock as the value that is written."""
        return super().pre_save(model_instance, add) if add else Now()
