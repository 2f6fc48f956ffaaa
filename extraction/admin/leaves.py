"""Converting extracted data to form fields, one for each value, and back. Pure."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from conversations.errors import InvalidRequest
from conversations.exact_json import dumps, loads
from conversations.json_types import JSON

PREFIX = "leaf-"
WHOLE = "whole"


@dataclass(frozen=True)
class Leaf:
    """A value of the data that a reviewer can edit."""

    steps: tuple[str | int, ...]
    value: JSON

    @property
    def path(self) -> str:
        """The place of the value: a JSON Pointer."""
        return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in self.steps)

    @property
    def text(self) -> str:
        """The value as text in the form: strings unchanged, all else as JSON."""
        return self.value if isinstance(self.value, str) else dumps(self.value, ascii=False)

    @property
    def name(self) -> str:
        """The name of its field in the form."""
        return PREFIX + self.path


def leaves_of(data: JSON, steps: tuple[str | int, ...] = ()) -> Iterator[Leaf]:
    """Yield the values of data, nested ones included, with empty objects and lists as values."""
    if isinstance(data, Mapping) and data:
        for key, value in data.items():
            yield from leaves_of(value, (*steps, key))
    elif isinstance(data, list) and data:
        for index, value in enumerate(data):
            yield from leaves_of(value, (*steps, index))
    else:
        yield Leaf(steps, data)


def whole_of(data: JSON) -> str:
    """Return data as the form's text of the whole."""
    return dumps(data, ascii=False, indent=2)


def changed(data: JSON, form: Mapping[str, str]) -> JSON:
    """Return the data of a form: the whole, if that was edited, else with the edited values.

    Raises InvalidRequest where the whole is no JSON.
    """
    whole = form.get(WHOLE, "").replace("\r\n", "\n").strip()
    if whole and whole != whole_of(data):
        try:
            return loads(whole)
        except ValueError as error:
            raise InvalidRequest(f"The whole data is no JSON: {error}") from None
    found = copy.deepcopy(data)
    for leaf in leaves_of(data):
        text = form.get(leaf.name)
        if text is not None and text.replace("\r\n", "\n") != leaf.text:
            found = _replaced(found, leaf.steps, _value(text, leaf.value))
    return found


def _value(text: str, before: JSON) -> JSON:
    """Return the edited value: a string stays one; other values are parsed as JSON if possible."""
    if isinstance(before, str):
        return text
    try:
        return loads(text)
    except ValueError:
        return text or None


def _replaced(data: JSON, steps: tuple[str | int, ...], value: JSON) -> JSON:
    if not steps:
        return value
    inner: Any = data
    for step in steps[:-1]:
        inner = inner[step]
    inner[steps[-1]] = value
    return data
