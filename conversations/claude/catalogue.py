"""What each of Claude's models is and takes: data (`models.json`, from claude-api.md 2.3 to 2.7, 9 and 12).

What the Models API says of a model goes before that; what it does not say of a new one is not checked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from conversations.errors import InvalidRequest

MINIMUM_THINKING_BUDGET = 1024
FORCED = frozenset({"any", "tool"})
TOOL_NAME = re.compile(r"^[a-zA-Z0-9_-]{1,128}$")
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
    """Whether it takes a temperature: yes, no, or default_only (then only 1)."""
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
    """Whether thinking is refused where anything before it has changed."""
    high_resolution: bool
    lifecycle: str
    retires_at: str | None
    """Not before this day."""
    aliases: tuple[str, ...] = ()


_listed: dict[str, Model] = {}


def all_models() -> tuple[Model, ...]:
    """Every model that is known."""
    written = written_models()
    known = {model.id for model in written}
    new = [model for model in _listed.values() if model.id not in known]
    return (*(_listed.get(model.id, model) for model in written), *new)


@cache
def written_models() -> tuple[Model, ...]:
    """Those that are written down."""
    rows = json.loads(Path(__file__).with_name("models.json").read_text())
    return tuple(Model(**{key: _frozen(value) for key, value in row.items()}) for row in rows)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def take_in(rows: Iterable[Mapping[str, Any]]) -> None:
    """What the Models API lists, from now on: its rows as they came (the SDK's types/model_info.py)."""
    written = {name: model for model in written_models() for name in (*model.aliases, model.id)}
    found = [_as_listed(row, written.get(row["id"])) for row in rows]
    _listed.clear()
    _listed.update({model.id: model for model in found})


def _as_listed(row: Mapping[str, Any], known: Model | None) -> Model:
    base = known or replace(UNKNOWN, id=row["id"], name=row["id"], aliases=())
    told: dict[str, Any] = {
        "name": row.get("display_name"),
        "context_window": row.get("max_input_tokens"),
        "max_output": row.get("max_tokens"),
        "lifecycle": row.get("lifecycle"),
        "retires_at": str(row.get("retires_at") or "")[:10],
    }
    capabilities = row.get("capabilities") or {}
    told["thinking_types"] = _supported((capabilities.get("thinking") or {}).get("types"))
    told["efforts"] = _supported(capabilities.get("effort"))
    return replace(base, **{name: value for name, value in told.items() if value})


def _supported(options: Any) -> tuple[str, ...]:
    """Those of some options that are supported, in the order in which we know them."""
    options = options if isinstance(options, dict) else {}
    found = [name for name, each in options.items() if isinstance(each, dict) and each.get("supported")]
    return tuple(sorted(found, key=lambda name: (*EFFORTS, *THINKING_TYPES, name).index(name)))


# Of a model that only the Models API knows: what it does not tell is left to Claude to refuse.
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
    """The model with this id or alias; None for one that we do not know, such as a local server's own."""
    return next((model for model in all_models() if id == model.id or id in model.aliases), None)


def takes_prefill(settings: Mapping[str, Any]) -> bool:
    """Whether a request with these settings may end with the beginning of the answer (claude-api.md 2.6)."""
    model = find(settings["model"])
    thinks = (settings.get("thinking") or {}).get("type", "disabled") != "disabled"
    return model is not None and model.prefill and not thinks


def check(settings: Mapping[str, Any]) -> None:
    """Refuses settings that the model would refuse, before any call. Unknown models may be given anything."""
    model = find(settings["model"])
    complaints = {name: text for rule in RULES for name, text in rule(settings, model)}
    if complaints:
        name, text = next(iter(complaints.items()))
        raise InvalidRequest(f"{name}: {text}", details=complaints)


Complaints = Iterator[tuple[str, str]]
Rule = Callable[[Mapping[str, Any], Model | None], Complaints]


def _max_tokens(settings: Mapping[str, Any], model: Model | None) -> Complaints:
    if model and settings["max_tokens"] > model.max_output:
        yield "max_tokens", f"{model.id} writes at most {model.max_output} tokens."


def _temperature(settings: Mapping[str, Any], model: Model | None) -> Complaints:
    temperature = settings.get("temperature")
    if model is None or temperature is None or model.sampling == "yes":
        return
    if model.sampling == "no" or temperature != 1:
        instead = "; use effort instead" if model.efforts else ""
        yield "temperature", f"{model.id} does not take a temperature{instead}."


def _stop_sequences(settings: Mapping[str, Any], model: Model | None) -> Complaints:
    if any(not sequence.strip() for sequence in settings.get("stop_sequences") or ()):
        yield "stop_sequences", "A stop sequence must contain more than white space."


def _system(settings: Mapping[str, Any], model: Model | None) -> Complaints:
    system = settings.get("system")
    if isinstance(system, list) and not all(map(_is_text, system)):
        yield "system", "Must be a string or a list of text blocks."


def _is_text(block: object) -> bool:
    return isinstance(block, dict) and block.get("type") == "text" and bool(str(block.get("text") or "").strip())


def _thinking(settings: Mapping[str, Any], model: Model | None) -> Complaints:
    thinking = settings.get("thinking")
    if thinking is None:
        return
    kind = thinking.get("type")
    if model and kind not in model.thinking_types:
        yield "thinking", f"{model.id} takes {' or '.join(model.thinking_types)} as its type."
    if kind == "enabled":
        budget = thinking.get("budget_tokens")
        if not isinstance(budget, int) or not MINIMUM_THINKING_BUDGET <= budget < settings["max_tokens"]:
            yield "thinking", f"budget_tokens must be at least {MINIMUM_THINKING_BUDGET} and less than max_tokens."


def _effort(settings: Mapping[str, Any], model: Model | None) -> Complaints:
    effort = settings.get("effort")
    if effort is None:
        return
    taken = model.efforts if model else EFFORTS
    if effort not in taken:
        yield "effort", f"{settings['model']} takes {', '.join(taken) if taken else 'no effort'}."


def _tools(settings: Mapping[str, Any], model: Model | None) -> Complaints:
    names: set[str] = set()
    for at, tool in enumerate(settings.get("tools") or ()):
        tool = tool if isinstance(tool, dict) else {}
        custom, name = tool.get("type", "custom") == "custom", tool.get("name")
        if (custom or name is not None) and not (isinstance(name, str) and TOOL_NAME.match(name)):
            yield f"tools.{at}.name", "Must be a name of 1 to 128 letters, digits, _ and -."
        elif name in names:
            yield f"tools.{at}.name", "Another tool has this name."
        elif custom and not _is_object_schema(tool.get("input_schema")):
            yield f"tools.{at}.input_schema", "Must be a JSON Schema of an object."
        names |= {name} if name else set()


def _is_object_schema(schema: object) -> bool:
    return isinstance(schema, dict) and schema.get("type") == "object"


def _tool_choice(settings: Mapping[str, Any], model: Model | None) -> Complaints:
    choice = settings.get("tool_choice")
    if choice is None:
        return
    if not settings.get("tools"):
        yield "tool_choice", "There are no tools to choose from."
    elif model and choice.get("type") in FORCED and not model.forced_tool_choice:
        yield "tool_choice", f"{model.id} can't be forced to use a tool."


def _lifecycle(settings: Mapping[str, Any], model: Model | None) -> Complaints:
    if model and model.lifecycle == "retired":
        yield "model", f"{model.id} is retired."


RULES: tuple[Rule, ...] = (
    _lifecycle,
    _max_tokens,
    _temperature,
    _stop_sequences,
    _system,
    _thinking,
    _effort,
    _tools,
    _tool_choice,
)
