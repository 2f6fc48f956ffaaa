"""What version 2026-10-21 of the Messages API refuses (claude-api.md 2, 6, 8). Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from conversations.claude import tool_fields
from conversations.claude.catalogue import Model, find
from conversations.sandbox import token_counts
from conversations.sandbox.block_rules import check_block
from conversations.sandbox.message_rules import check_messages
from conversations.sandbox.output_schemas import check_schema
from conversations.sandbox.refused import Refused, require

Body = dict[str, Any]

VERSIONS = ("2023-06-01", "2026-10-21")
SAMPLING = ("temperature", "top_p", "top_k")
TYPES: dict[str, type | tuple[type, ...]] = {
    "model": str,
    "max_tokens": int,
    "messages": list,
    "system": (str, list),
    "stop_sequences": list,
    "stream": bool,
    "metadata": dict,
    "thinking": dict,
    "output_config": dict,
    "tools": list,
    "tool_choice": dict,
    "cache_control": dict,
    "service_tier": str,
    "speed": str,
    "inference_geo": str,
    "container": (str, dict),
    "diagnostics": dict,
}
TOOL_NAME = re.compile(r"^[a-zA-Z0-9_-]{1,128}$")
TOOLSETS = ("computer_toolset_", "browser_toolset_")
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
THINKING = ("thinking", "redacted_thinking")
THINKING_FIELDS = {
    "adaptive": ("display",),
    "enabled": ("budget_tokens", "display"),
    "between_tools": (),
    "disabled": (),
}


def validate(body: Body, *, version: str, counting: bool = False) -> None:
    """Raise Refused for a body that Claude would refuse."""
    allowed = {**TYPES, **(dict.fromkeys(SAMPLING, (int, float)) if version == VERSIONS[0] else {})}
    for name in body:
        require(name in allowed, f"{name}: Extra inputs are not permitted")
    for name in ("model", "messages") if counting else ("model", "max_tokens", "messages"):
        require(name in body, f"{name}: Field required")
    for name, value in body.items():
        fine = isinstance(value, allowed[name]) and not (isinstance(value, bool) and allowed[name] is not bool)
        require(fine, f"{name}: Input has the wrong type")
    model = find(body["model"])
    if model is None:
        raise Refused(404, f"model: {body['model']}")
    for check in CHECKS:
        check(body, model)
    check_messages(body, model, version)
    if not counting and token_counts.of_request(body, model) > model.context_window:
        raise Refused(
            400, f"prompt is too long: {token_counts.of_request(body, model)} tokens > {model.context_window} maximum"
        )


def _max_tokens(body: Body, model: Model) -> None:
    limit = body.get("max_tokens", 1)
    require(limit >= 1 or (limit == 0 and not body.get("stream")), "max_tokens: must be at least 1")
    require(limit <= model.max_output, f"max_tokens: {limit} > {model.max_output}, the maximum for {model.id}")


def _sampling(body: Body, model: Model) -> None:
    given = [name for name in SAMPLING if name in body]
    if not given:
        return
    if model.sampling == "default_only":
        require(given == ["temperature"] and body["temperature"] == 1, f"{given[0]}: only the default is supported")
    require(model.sampling != "no", f"{given[0]}: {model.id} does not support sampling parameters")
    require(0 <= body.get("temperature", 1) <= 1, "temperature: range: 0..1")
    require(not {"temperature", "top_p"} <= set(given), "temperature and top_p cannot both be specified")


def _stop_sequences(body: Body, model: Model) -> None:
    for sequence in body.get("stop_sequences", []):
        require(isinstance(sequence, str) and sequence.strip(), "stop_sequences: each must contain non-whitespace")


def _system(body: Body, model: Model) -> None:
    system = body.get("system")
    if isinstance(system, list):
        for index, block in enumerate(system):
            require(isinstance(block, dict) and block.get("type") == "text", f"system.{index}: must be a text block")
            check_block(block, "system", f"system.{index}")


def _metadata(body: Body, model: Model) -> None:
    for name in body.get("metadata", {}):
        require(name == "user_id", f"metadata.{name}: Extra inputs are not permitted")


def _thinking(body: Body, model: Model) -> None:
    thinking = body.get("thinking")
    if thinking is None:
        return
    kind = thinking.get("type")
    require(kind in model.thinking_types, f"thinking.type: {kind} is not supported by {model.id}")
    for name in thinking:
        known = name == "type" or name in THINKING_FIELDS[kind]
        require(known, f"thinking.{kind}.{name}: Extra inputs are not permitted")
    require(
        thinking.get("display") in (None, "summarized", "omitted"), "thinking.display: must be summarized or omitted"
    )
    if kind == "enabled":
        budget = thinking.get("budget_tokens")
        require(isinstance(budget, int) and budget >= 1024, "thinking.budget_tokens: must be at least 1024")
        require(budget < body.get("max_tokens", budget + 1), "max_tokens must be greater than thinking.budget_tokens")


def _output_config(body: Body, model: Model) -> None:
    config = body.get("output_config", {})
    for name in config:
        require(name in ("effort", "format"), f"output_config.{name}: Extra inputs are not permitted")
    if "effort" in config:
        require(config["effort"] in model.efforts, f"output_config.effort: not supported by {model.id}")
        kind = body.get("thinking", {}).get("type")
        if kind in ("disabled", "between_tools") and model.efforts_unthinking is not None:
            require(config["effort"] in model.efforts_unthinking, f"output_config.effort: too high for thinking {kind}")
    if "format" in config:
        require(isinstance(config["format"], dict), "output_config.format: must be an object")
        require(config["format"].get("type") == "json_schema", "output_config.format.type: must be json_schema")
        check_schema(config["format"].get("schema"))


def _tools(body: Body, model: Model) -> None:
    names: set[str] = set()
    for index, tool in enumerate(body.get("tools", [])):
        path = f"tools.{index}"
        require(isinstance(tool, dict), f"{path}: must be an object")
        kind = tool.get("type") or "custom"
        for field, complaint in tool_fields.complaints(tool):
            require(False, f"{path}.{field}: {complaint}")
        for field in tool_fields.unknown(tool):
            require(False, f"{path}.{kind}.{field}: Extra inputs are not permitted")
        if str(kind).startswith(TOOLSETS):
            require("name" not in tool, f"{path}.name: Extra inputs are not permitted")
            continue
        name = tool.get("name", "")
        require(isinstance(name, str) and TOOL_NAME.match(name), f"{path}.name: must match {TOOL_NAME.pattern}")
        require(name not in names, "tools: Tool names must be unique.")
        names.add(name)
        if kind == "custom":
            for field in tool:
                require(field in TOOL_FIELDS, f"{path}.custom.{field}: Extra inputs are not permitted")
            schema = tool.get("input_schema")
            require(
                isinstance(schema, dict) and schema.get("type") == "object", f"{path}.input_schema: must be an object"
            )
        else:
            require(str(kind).startswith(tuple(tool_fields.FAMILIES)), f"{path}.type: unknown tool type {kind}")


def _tool_choice(body: Body, model: Model) -> None:
    choice = body.get("tool_choice")
    if choice is None:
        return
    kind = choice.get("type")
    require(kind in ("auto", "any", "tool", "none"), "tool_choice.type: must be auto, any, tool or none")
    for name in choice:
        known = name == "type" or (name == "name" and kind == "tool")
        known = known or (name == "disable_parallel_tool_use" and kind != "none")
        require(known, f"tool_choice.{kind}.{name}: Extra inputs are not permitted")
    require(body.get("tools"), "tool_choice: may only be specified while providing tools")
    if kind in ("any", "tool"):
        require(model.forced_tool_choice, f"tool_choice: {model.id} does not support forced tool use")
        enabled = body.get("thinking", {}).get("type") == "enabled"
        require(not enabled, "Thinking may not be enabled when tool_choice forces tool use.")
    if kind == "tool":
        known = {tool.get("name") for tool in body["tools"]}
        require(
            choice.get("name") in known, f"tool_choice.name: Tool '{choice.get('name')}' not found in provided tools"
        )


def _cache_control(body: Body, model: Model) -> None:
    marked = [block for block in _all_blocks(body) if block.get("cache_control") is not None]
    marked += [body] if "cache_control" in body else []
    require(len(marked) <= 4, f"A maximum of 4 blocks with cache_control may be provided. Found {len(marked)}.")
    short = False
    for block in marked:
        control = block["cache_control"]
        fine = (
            isinstance(control, dict)
            and control.get("type") == "ephemeral"
            and control.get("ttl", "5m") in ("5m", "1h")
        )
        require(fine, "cache_control: must be ephemeral with a ttl of 5m or 1h")
        require(block.get("type") not in THINKING, "cache_control cannot be set for thinking blocks")
        short = short or control.get("ttl", "5m") == "5m"
        require(not short or control.get("ttl", "5m") == "5m", "cache_control: a ttl of 1h must not come after 5m")


def _all_blocks(body: Body) -> Iterable[dict[str, Any]]:
    """Yield tools and blocks, those in results of tools before the results, in the order in which they are read."""
    lists = [
        body.get("tools"),
        body.get("system"),
        *(m.get("content") for m in body["messages"] if isinstance(m, dict)),
    ]
    return [block for blocks in lists for block in _nested(blocks)]


def _nested(blocks: Any) -> Iterable[dict[str, Any]]:
    for block in blocks if isinstance(blocks, list) else []:
        if isinstance(block, dict):
            yield from _nested(block.get("content"))
            yield block


CHECKS: tuple[Callable[[Body, Model], None], ...] = (
    _max_tokens,
    _sampling,
    _stop_sequences,
    _system,
    _metadata,
    _thinking,
    _output_config,
    _tools,
    _tool_choice,
    _cache_control,
)
