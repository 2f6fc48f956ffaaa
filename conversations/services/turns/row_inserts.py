"""INSERTs of model instances, as parts of a larger statement, with their parameters.

This takes a tenth of the ORM's 0.5 ms: a row is one parameter, except for texts of users and Claude.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple, TypeAlias

import orjson
from django.db import connection
from django.db.models import Field, Model, TextField
from django.db.models.expressions import DatabaseDefault

from conversations.content.transcript import encode
from conversations.database import Parameters
from conversations.fields import VerbatimJSONField

Column: TypeAlias = "Field[Any, Any]"

NOW = {"created_at": "now()"}
"""Times of the row are the database's: hosts' clocks differ."""


def insert_row(
    name: str, model: type[Model], source: str, instead: Mapping[str, str] = NOW, *, given: str = "%({})s"
) -> str:
    """Return an INSERT of a row for each row of `source`, the SQL after FROM.

    `instead` has the SQL of columns that are not taken from the row, and `given` that of the values that `row_values`
    returns under a name: a parameter, or a column of the source.
    """
    fields = _stored(model)
    columns = ", ".join(f'"{each.column}"' for each in fields)
    values = ", ".join(instead.get(str(each.column)) or _value(name, each, given) for each in fields)
    table = model._meta.db_table
    row = f"json_populate_record(NULL::{table}, {given.format(name)}::json) AS {name}"
    return f"INSERT INTO {table} ({columns}) SELECT {values} FROM {source}, {row}"  # noqa: S608 - the models' own names


def _value(name: str, field: Column, given: str) -> str:
    if _is_said(field):
        return f"{given.format(f'{name}_{field.column}')}::{field.db_type(connection)}"
    return f'{name}."{field.column}"'


class _KindsOfColumns(NamedTuple):
    """The columns of an INSERT, each with its attribute, by how their values are sent."""

    plain: list[tuple[str, str]]
    texts: list[tuple[str, str]]
    documents: list[tuple[str, str]]


@cache
def _kinds_of_columns(model: type[Model]) -> _KindsOfColumns:
    kinds = _KindsOfColumns([], [], [])
    for each in _stored(model):
        of_its_kind = kinds.documents if isinstance(each, VerbatimJSONField) else kinds.texts
        (of_its_kind if _is_said(each) else kinds.plain).append((str(each.column), each.attname))
    return kinds


def _is_said(field: Column) -> bool:
    """Return whether a column has text of users or Claude, which is sent separately: only `json` accepts NUL."""
    return isinstance(field, (VerbatimJSONField, TextField))


def names_of_values(name: str, model: type[Model]) -> list[str]:
    """Return the names of what `row_values` returns."""
    kinds = _kinds_of_columns(model)
    return [name, *(f"{name}_{column}" for column, _ in (*kinds.texts, *kinds.documents))]


def row_values(name: str, row: Model) -> Parameters:
    """Return the parameters of `insert_row`: one for most of the row, and one for each column with such text."""
    kinds, known = _kinds_of_columns(type(row)), vars(row)
    whole = {column: known[attribute] for column, attribute in kinds.plain}
    texts = {f"{name}_{column}": known[attribute] for column, attribute in kinds.texts}
    documents = {f"{name}_{column}": _encoded(known[attribute]) for column, attribute in kinds.documents}
    return {name: orjson.dumps(whole, default=_text).decode(), **texts, **documents}


@cache
def values_of_none(name: str, model: type[Model]) -> Parameters:
    """Return the parameters of `insert_row` if no row is to be inserted."""
    return row_values(name, model())


def _encoded(value: object) -> str | None:
    return None if value is None else encode(value)


def _text(value: Decimal | timedelta | DatabaseDefault) -> str | None:
    if isinstance(value, DatabaseDefault):
        return None  # the statement has something else there
    return f"{value.total_seconds()} seconds" if isinstance(value, timedelta) else str(value)


@cache
def _stored(model: type[Model]) -> list[Column]:
    """Return the columns of an INSERT; a trigger sets a message's place (services/turns/message_paths.py)."""
    return [each for each in model._meta.concrete_fields if not each.generated and each.name not in ("depth", "jump")]
