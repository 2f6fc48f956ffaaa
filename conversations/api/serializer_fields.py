"""Strict serializer fields, which accept values of their type and convert no others."""

from __future__ import annotations

from functools import cache
from itertools import islice
from typing import Any, Self, TypeAlias
from uuid import UUID

from django.utils.datastructures import MultiValueDict
from rest_framework import serializers
from typing_extensions import TypedDict, Unpack

from conversations.content.json_checks import check_text
from conversations.errors import InvalidRequest

NAME_LIMIT = 100  # characters of an unknown field's name in a complaint
COMPLAINTS_LIMIT = 20
JSON_TYPES: dict[type, str] = {
    dict: "an object",
    list: "an array",
    str: "a string",
    int: "a number",
    float: "a number",
}
"""The names of JSON types in error messages; bool is treated separately, since Python's bool is an int."""

Values: TypeAlias = dict[str, Any]
"""The checked values of a serializer's fields, by the fields' names."""


class FieldOptions(TypedDict, total=False):
    """What every field takes besides what is its own."""

    required: bool
    allow_null: bool
    read_only: bool
    default: Any
    source: str
    help_text: str


def check_given_once(given: MultiValueDict[str, Any]) -> None:
    """Refuse a repeated name in a query or a form. Raise ValidationError with an error for each."""
    twice = {name[:NAME_LIMIT]: "Must be given once." for name, values in given.lists() if len(values) > 1}
    if twice:
        raise serializers.ValidationError(dict(islice(twice.items(), COMPLAINTS_LIMIT)))


class StrictSerializer(serializers.Serializer[Any]):
    """A serializer that refuses fields that it does not know, or does not take."""

    @classmethod
    @cache
    def _shared(cls) -> Self:
        return cls()

    @classmethod
    def checked_values(cls, data: object) -> Values:
        """Return the validated values of the fields. Raise ValidationError, as `is_valid` does.

        One instance validates all data, in any thread: it keeps no state of the data, and its fields, whose creation
        takes a third of a request's time, are created once.
        """
        if data is None:
            raise serializers.ValidationError({"non_field_errors": ["No data provided"]})
        return dict(cls._shared().run_validation(data))

    def to_internal_value(self, data: Any) -> Any:
        """Return the fields' values. Raise ValidationError with an error for each invalid one."""
        if isinstance(data, dict):
            refused = [name for name in data if name not in self.fields or self.fields[name].read_only]
            if refused:
                raise serializers.ValidationError(self._complaints(refused))
        return super().to_internal_value(data)

    def _complaints(self, refused: list[str]) -> dict[str, str]:
        taken = ", ".join(name for name, field in self.fields.items() if not field.read_only) or "none"
        complaint = f"Unknown field; allowed fields: {taken}."
        unknown = {name[:NAME_LIMIT]: complaint for name in refused if name not in self.fields}
        fixed = {name: "This field can't be set: leave it out." for name in refused if name in self.fields}
        return dict(islice({**unknown, **fixed}.items(), COMPLAINTS_LIMIT))


class NoFields(StrictSerializer):
    """The body of an operation that takes none: nothing, or an empty object."""


class String(serializers.CharField):
    """A string; DRF's own field would also take a number."""

    def to_internal_value(self, data: object) -> str:
        """Return the string unchanged. Raises ValidationError for any other type."""
        if not isinstance(data, str):
            raise serializers.ValidationError("Must be a string.")
        return str(super().to_internal_value(data))


class IdempotencyKey(String):
    """An idempotency key. A header can carry it too, so a retry may use the other protocol."""

    COMPLAINT = "Must have 1 to 255 printable characters."

    def to_internal_value(self, data: object) -> str:
        """Return the key. Raise ValidationError if no header could carry it."""
        key = super().to_internal_value(data)
        if not (1 <= len(key) <= 255 and key.isprintable()):
            raise serializers.ValidationError(self.COMPLAINT)
        return key


class Integer(serializers.IntegerField):
    """An integer; DRF's own field would also take "7" and 7.0."""

    def to_internal_value(self, data: object) -> int:
        """Return the integer unchanged. Raises ValidationError for any other type."""
        if isinstance(data, bool) or not isinstance(data, int):
            raise serializers.ValidationError("Must be an integer.")
        return data


class Number(serializers.FloatField):
    """A number; DRF's own field would also take "0.5" and true."""

    def to_internal_value(self, data: object) -> float:
        """Return the number unchanged. Raises ValidationError for any other type."""
        if isinstance(data, bool) or not isinstance(data, (int, float)):
            raise serializers.ValidationError("Must be a number.")
        return super().to_internal_value(data)


class Id(serializers.UUIDField):
    """A UUID as a string; DRF's own field would also take any integer."""

    def to_internal_value(self, data: object) -> UUID:
        """Return the UUID. Raises ValidationError for what is no string, or no UUID."""
        if not isinstance(data, str):
            raise serializers.ValidationError("Must be a UUID, as a string.")
        return UUID(str(super().to_internal_value(data)))


class Boolean(serializers.BooleanField):
    """True or false; DRF's own field would also take "yes" and 1."""

    def to_internal_value(self, data: object) -> bool:
        """Return the boolean unchanged. Raises ValidationError for any other type."""
        if not isinstance(data, bool):
            raise serializers.ValidationError("Must be true or false.")
        return data


class Json(serializers.JSONField):
    """JSON of certain types that can be stored: no NUL, no lone surrogates.

    `shape` is the type of `conversations.contract` for the OpenAPI document.
    """

    def __init__(self, *types: type, shape: object = None, **options: Unpack[FieldOptions]) -> None:
        self.types = types
        self.shape = shape
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> Any:
        """Return the JSON value unchanged. Raises ValidationError for what can't be stored."""
        if self.types and (isinstance(data, bool) or not isinstance(data, self.types)):
            names = dict.fromkeys(JSON_TYPES[each] for each in self.types)
            raise serializers.ValidationError(f"Must be {' or '.join(names)}.")
        try:
            check_text(data, "")
        except InvalidRequest as error:
            places = {place: str(complaint) for place, complaint in (error.details or {}).items()}
            raise serializers.ValidationError(places.get("", places)) from None
        return data
