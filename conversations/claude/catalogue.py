"""The catalogue of Claude's models (`models.json`, from claude-api.md 2.3 to 2.7, 9 and 12).

The Models API overrides these data; unknown capabilities of a new model are not checked.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Required, cast

from django.apps import apps
from typing_extensions import TypedDict

from conversations.contract.wire import Settings
from conversations.json_types import JSONObject

THINKING_TYPES = ("adaptive", "enabled", "between_tools", "disabled")
EFFORTS = ("low", "medium", "high", "xhigh", "max")


@dataclass(frozen=True)
class Model:
    """The facts about a model. Limits are in tokens."""

    id: str
    name: str
    context_window: int
    max_output: int
    sampling: str
    """Whether the model accepts a temperature: yes, no, or default_only (only 1)."""
    thinking_default: str
    thinking_types: tuple[str, ...]
    efforts: tuple[str, ...]
    default_effort: str | None
    forced_tool_choice: bool
    prefill: bool
    mid_conversation_system: bool
    structured_outputs: bool
    cache_minimum: int
    preserved_thinking: bool
    """Whether the model refuses thinking blocks if anything before them has changed."""
    high_resolution: bool
    lifecycle: str
    retires_at: str | None
    """The earliest day of its retirement."""
    aliases: tuple[str, ...] = ()
    efforts_unthinking: tuple[str, ...] | None = None
    """The efforts that it accepts with thinking disabled, or only between tools; None for all of its efforts."""


def _listed() -> Mapping[str, Model]:
    """Return the last list of the Models API, by id. The app keeps it, for all threads of the process.

    A process without Django, such as the sandbox's own, has only the built-in catalogue.
    """
    if not apps.ready:
        return {}
    return cast("Mapping[str, Model]", apps.get_app_config("conversations").listed_models)  # type: ignore[attr-defined]


def all_models() -> tuple[Model, ...]:
    """Return every known model."""
    written, listed = written_models(), _listed()
    known = {model.id for model in written}
    new = [model for model in listed.values() if model.id not in known]
    return (*(listed.get(model.id, model) for model in written), *new)


@cache
def written_models() -> tuple[Model, ...]:
    """Return the models in models.json."""
    rows = json.loads(Path(__file__).with_name("models.json").read_text())
    return tuple(Model(**{key: _frozen(value) for key, value in row.items()}) for row in rows)


@cache
def _written_by_name() -> dict[str, Model]:
    """Return those models by their ids and aliases."""
    return {name: model for model in written_models() for name in (*model.aliases, model.id)}


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


class ListedModel(TypedDict, total=False):
    """The fields that are read of a row of the Models API (the SDK's types/model_info.py)."""

    id: Required[str]
    display_name: str | None
    max_input_tokens: int | None
    max_tokens: int | None
    lifecycle: str | None
    retires_at: str | None
    capabilities: JSONObject | None


def update_listing(rows: Iterable[ListedModel]) -> None:
    """Merge the Models API's list into the catalogue."""
    found = [_as_listed(row, _written_by_name().get(row["id"])) for row in rows]
    apps.get_app_config("conversations").listed_models = {model.id: model for model in found}  # type: ignore[attr-defined]


def _as_listed(row: ListedModel, known: Model | None) -> Model:
    base = known or replace(UNKNOWN, id=row["id"], name=row["id"], aliases=())
    told: dict[str, Any] = {
        "name": row.get("display_name"),
        "context_window": row.get("max_input_tokens"),
        "max_output": row.get("max_tokens"),
        "lifecycle": row.get("lifecycle"),
        "retires_at": str(row.get("retires_at") or "")[:10],
    }
    capabilities = row.get("capabilities") or {}
    thinking = capabilities.get("thinking")
    told["thinking_types"] = _supported(thinking.get("types") if isinstance(thinking, dict) else None)
    told["efforts"] = _supported(capabilities.get("effort"))
    return replace(base, **{name: value for name, value in told.items() if value})


def _supported(options: object) -> tuple[str, ...]:
    """Return the supported ones of some options, in the catalogue's order."""
    options = options if isinstance(options, dict) else {}
    found = [name for name, each in options.items() if isinstance(each, dict) and each.get("supported")]
    return tuple(sorted(found, key=lambda name: (*EFFORTS, *THINKING_TYPES, name).index(name)))


# A model that only the Models API lists: unknown capabilities are not checked here, but by Claude.
UNKNOWN = Model(
    id="",
    name="",
    context_window=1_000_000,
    max_output=10_000_000,
    sampling="yes",
    thinking_default="unknown",
    thinking_types=THINKING_TYPES,
    efforts=EFFORTS,
    default_effort=None,
    forced_tool_choice=True,
    prefill=False,
    mid_conversation_system=False,
    structured_outputs=False,
    cache_minimum=4096,
    preserved_thinking=True,
    high_resolution=True,
    lifecycle="active",
    retires_at=None,
)


def find(id: str) -> Model | None:
    """Return the model with this id or alias; None for an unknown one, such as a local server's."""
    listed, written = _listed(), _written_by_name().get(id)
    return listed.get(written.id, written) if written else listed.get(id)


def takes_prefill(settings: Settings) -> bool:
    """Return whether a request with these settings may end with a prefill (claude-api.md 2.6)."""
    model = find(settings["model"])
    return model is not None and model.prefill and thinking_type(settings) in (None, "disabled")


def thinking_type(settings: Settings) -> str | None:
    """Return the type of thinking in the settings; None if there is none."""
    thinking = settings.get("thinking")
    return thinking.get("type") if thinking else None
