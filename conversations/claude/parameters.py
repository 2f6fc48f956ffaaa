"""Validating parameters against the catalogue before any request (claude-api.md 2 and 8)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from conversations.claude import input_schema, tool_fields
from conversations.claude.catalogue import EFFORTS, Model, find, thinking_type
from conversations.content.cache_marks import MOST, is_mark
from conversations.contract.wire import Settings
from conversations.errors import InvalidRequest

MINIMUM_THINKING_BUDGET = 1024
THINKING_FIELDS: dict[str, frozenset[str]] = {
    "adaptive": frozenset({"display"}),
    "enabled": frozenset({"budget_tokens", "display"}),
    "between_tools": frozenset(),
    "disabled": frozenset(),
}
DISPLAYS = ("summarized", "omitted")
UNTHINKING = ("disabled", "between_tools")
CHOICE_FIELDS = {
    "auto": {"type", "disable_parallel_tool_use"},
    "any": {"type", "disable_parallel_tool_use"},
    "tool": {"type", "name", "disable_parallel_tool_use"},
    "none": {"type"},
}
FORCED = frozenset({"any", "tool"})
TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
TOOL_FIELDS = frozenset(
    [
        "type",
        "name",
        "description",
        "input_schema",
        "strict",
        "cache_control",
        "defer_loading",
        "eager_input_streaming",
        "input_examples",
        "allowed_callers",
    ]
)


def check_parameters(settings: Settings) -> None:
    """Refuse settings that the model does not support, by InvalidRequest. For unknown models, all are accepted."""
    model = find(settings["model"])
    complaints = {name: text for rule in RULES for name, text in rule(settings, model)}
    if complaints:
        name, text = next(iter(complaints.items()))
        raise InvalidRequest(f"{name}: {text}", details=complaints)


Complaints = Iterator[tuple[str, str]]
Rule = Callable[[Settings, Model | None], Complaints]


def _max_tokens(settings: Settings, model: Model | None) -> Complaints:
    if model and settings["max_tokens"] > model.max_output:
        yield "max_tokens", f"{model.id} writes at most {model.max_output} tokens."


def _temperature(settings: Settings, model: Model | None) -> Complaints:
    temperature = settings.get("temperature")
    if model is None or temperature is None or model.sampling == "yes":
        return
    if model.sampling == "no" or temperature != 1:
        instead = "; use effort instead" if model.efforts else ""
        yield "temperature", f"{model.id} does not take a temperature{instead}."


def _stop_sequences(settings: Settings, model: Model | None) -> Complaints:
    if any(not sequence.strip() for sequence in settings.get("stop_sequences") or ()):
        yield "stop_sequences", "A stop sequence must contain more than white space."


def _system(settings: Settings, model: Model | None) -> Complaints:
    system = settings.get("system")
    if isinstance(system, list) and not all(map(_is_text, system)):
        yield "system", "Must be a string or a list of text blocks."


def _is_text(block: object) -> bool:
    if not isinstance(block, dict) or block.keys() - {"type", "text", "cache_control"}:
        return False
    text = block.get("text")
    said = isinstance(text, str) and bool(text.strip())
    return block.get("type") == "text" and said and is_mark(block.get("cache_control"))


def _marks(settings: Settings, model: Model | None) -> Complaints:
    marked = 0
    for name in ("tools", "system"):
        each = settings.get(name)
        blocks = [block for block in each if isinstance(block, dict)] if isinstance(each, list) else []
        marked += sum(block.get("cache_control") is not None for block in blocks)
        if marked > MOST:
            yield name, f"At most {MOST} cache_control marks are allowed."
            return


def _thinking(settings: Settings, model: Model | None) -> Complaints:
    thinking = settings.get("thinking")
    if thinking is None:
        return
    kind = thinking.get("type")
    if model and kind not in model.thinking_types:
        yield "thinking", f"{model.id} takes {' or '.join(model.thinking_types)} as its type."
    elif model and (unknown := sorted(thinking.keys() - THINKING_FIELDS.get(kind, thinking.keys()) - {"type"})):
        yield "thinking", f"{kind} takes no {unknown[0]}."
    elif model and thinking.get("display") not in (None, *DISPLAYS):
        yield "thinking", f"display must be {' or '.join(DISPLAYS)}."
    elif not isinstance(kind, str):
        yield "thinking", "Must have a type."
    if kind == "enabled":
        budget = thinking.get("budget_tokens")
        if not isinstance(budget, int) or not MINIMUM_THINKING_BUDGET <= budget < settings["max_tokens"]:
            yield "thinking", f"budget_tokens must be at least {MINIMUM_THINKING_BUDGET} and less than max_tokens."


def _effort(settings: Settings, model: Model | None) -> Complaints:
    effort = settings.get("effort")
    if effort is None:
        return
    taken = model.efforts if model else EFFORTS
    if effort not in taken:
        yield "effort", f"{settings['model']} takes {', '.join(taken) if taken else 'no effort'}."
    kind = thinking_type(settings)
    if model and kind in UNTHINKING and effort not in (lower := model.efforts_unthinking or taken):
        yield "effort", f"With thinking {kind}, {model.id} takes {', '.join(lower)}."


def _tools(settings: Settings, model: Model | None) -> Complaints:
    names: set[str] = set()
    for at, tool in enumerate(settings.get("tools") or ()):
        if not isinstance(tool, dict):
            yield f"tools.{at}", "Must be an object."
            continue
        yield from _tool(tool, f"tools.{at}", model)
        name = tool.get("name")
        if isinstance(name, str) and name in names:
            yield f"tools.{at}.name", "Another tool has this name."
        names |= {name} if isinstance(name, str) else set()


def _tool(tool: Mapping[str, object], path: str, model: Model | None) -> Complaints:
    kind = "custom" if tool.get("type") is None else tool["type"]
    # A toolset defines its tools' names itself.
    nameless = isinstance(kind, str) and "toolset" in kind and "name" not in tool
    name = tool.get("name")
    if not nameless and not (isinstance(name, str) and TOOL_NAME.fullmatch(name)):
        yield f"{path}.name", "Must be a name of 1 to 128 letters, digits, _ and -."
    if not is_mark(tool.get("cache_control")):
        yield f"{path}.cache_control", 'Must be {"type": "ephemeral"}, with a ttl of 5m or 1h.'
    if not isinstance(kind, str) or not kind:
        yield f"{path}.type", "Must be a non-empty string."
    for field, complaint in tool_fields.complaints(tool):
        yield f"{path}.{field}", complaint
    if kind == "custom" and (wrong := input_schema.complaint(tool.get("input_schema"))):
        yield f"{path}.input_schema", wrong
    unknown = sorted(tool.keys() - TOOL_FIELDS) if kind == "custom" else tool_fields.unknown(tool)
    for field in unknown if model else ():
        yield f"{path}.{field}", "Unknown field."


def _tool_choice(settings: Settings, model: Model | None) -> Complaints:
    choice = settings.get("tool_choice")
    if choice is None:
        return
    kind, tools = choice.get("type"), settings.get("tools")
    if not tools:
        yield "tool_choice", "There are no tools to choose from."
    elif not isinstance(kind, str) or kind not in CHOICE_FIELDS:
        yield "tool_choice", f"Must have a type, one of {', '.join(CHOICE_FIELDS)}."
    elif unknown := sorted(choice.keys() - CHOICE_FIELDS[kind]):
        yield "tool_choice", f"{kind} takes no {unknown[0]}."
    elif not isinstance(choice.get("disable_parallel_tool_use", False), bool):
        yield "tool_choice", "disable_parallel_tool_use must be true or false."
    elif kind == "tool" and not _has_tool(tools, choice.get("name")):
        yield "tool_choice", "name must be that of one of the tools."
    elif kind in FORCED and model and not model.forced_tool_choice:
        yield "tool_choice", f"{model.id} can't be forced to use a tool."
    elif kind in FORCED and thinking_type(settings) == "enabled":
        yield "tool_choice", "With thinking enabled, Claude can't be forced to use a tool."


def _has_tool(tools: Iterable[object], name: object) -> bool:
    given = [tool for tool in tools if isinstance(tool, dict)]
    return isinstance(name, str) and any(tool.get("name", name) == name for tool in given)


def _lifecycle(settings: Settings, model: Model | None) -> Complaints:
    if model and model.lifecycle == "retired":
        yield "model", f"{model.id} is retired."


RULES: tuple[Rule, ...] = (
    _lifecycle,
    _max_tokens,
    _temperature,
    _stop_sequences,
    _system,
    _marks,
    _thinking,
    _effort,
    _tools,
    _tool_choice,
)
