"""The objects of a Messages request as the SDK's parameter types declare them: kinds, fields and types.

The sandbox checks what the platform sends. Its knowledge of requests comes from the SDK and not from the platform's own
checks, so that a mistake there is not repeated here.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

import typing_extensions
from anthropic.lib._parse._transform import SupportedStringFormats
from anthropic.types import (
    Base64ImageSourceParam,
    CacheControlEphemeralParam,
    OutputConfigParam,
    ThinkingConfigParam,
    ToolChoiceParam,
    ToolUnionParam,
)
from anthropic.types.beta import BetaContentBlockParam
from anthropic.types.message_create_params import MessageCreateParamsBase
from pydantic import TypeAdapter, ValidationError

from conversations.sandbox.refused import require

REQUIRED = (typing.Required, typing_extensions.Required)
UNIONS = (typing.Union, types.UnionType)
STRING_FORMATS = frozenset(SupportedStringFormats)


@dataclass(frozen=True)
class Shape:
    """One kind of object: the SDK's type, and the names of its fields."""

    declared: type
    required: frozenset[str]
    optional: frozenset[str]

    @property
    def fields(self) -> frozenset[str]:
        """Return the names of all fields."""
        return self.required | self.optional

    def check(self, value: Mapping[str, object], path: str, *, deep: bool = True) -> None:
        """Raise Refused for an object with a missing or unknown field, or a field of another type than declared.

        Nested values are checked only with `deep`: Claude's own blocks may have more fields than the SDK knows.
        """
        for name in sorted(self.required - value.keys()):
            require(False, f"{path}.{name}: Field required")
        for name in sorted(value.keys() - self.fields - {"cache_control"}):
            require(False, f"{path}.{name}: Extra inputs are not permitted")
        for name, complaint in self.complaints(value):
            require(not deep and "." in name, f"{path}.{name}: {complaint}")

    def complaints(self, value: Mapping[str, object]) -> Iterator[tuple[str, str]]:
        """Yield each field whose value is not of the declared type, with the error."""
        try:
            _adapter(self.declared).validate_python(value, strict=True)
        except ValidationError as error:
            for each in error.errors():
                if each["type"] != "missing" or len(each["loc"]) > 1:
                    yield ".".join(map(str, each["loc"])), each["msg"]


@lru_cache
def _adapter(declared: type) -> TypeAdapter[object]:
    return TypeAdapter(declared)


def _shape(declared: type) -> Shape:
    hints = _hints(declared)
    required = frozenset(name for name, hint in hints.items() if typing.get_origin(hint) in REQUIRED)
    return Shape(declared, required, frozenset(hints) - required)


def _hints(declared: type) -> dict[str, object]:
    return typing.get_type_hints(declared, include_extras=True)


def _literals(hint: object) -> tuple[str, ...]:
    """Return the strings that a type allows: its literals, also within unions and `Required`."""
    origin = typing.get_origin(hint)
    if origin is typing.Literal:
        return tuple(each for each in typing.get_args(hint) if isinstance(each, str))
    if origin in (*REQUIRED, *UNIONS):
        return tuple(each for inner in typing.get_args(hint) for each in _literals(inner))
    return ()


def _by_type(union: object) -> dict[str, Shape]:
    """Return the shapes of the objects in a union, by the possible values of their field `type`."""
    objects = [each for each in typing.get_args(union) if typing_extensions.is_typeddict(each)]
    return {kind: _shape(each) for each in objects for kind in _literals(_hints(each)["type"])}


REQUEST = _shape(MessageCreateParamsBase)
BLOCKS = _by_type(BetaContentBlockParam)
TOOLS = _by_type(ToolUnionParam)
TOOL_CHOICES = _by_type(ToolChoiceParam)
THINKING = _by_type(ThinkingConfigParam)
OUTPUT_CONFIG = _shape(OutputConfigParam)
CACHE_TTLS = frozenset(_literals(_hints(CacheControlEphemeralParam)["ttl"]))
IMAGE_TYPES = frozenset(_literals(_hints(Base64ImageSourceParam)["media_type"]))
