"""The rules of version 2026-10-21 of the Messages API for requests (claude-api.md 2, 6, 8). Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from conversations.claude import input_schema
from conversations.claude.catalogue import Model, find
from conversations.sandbox import sdk_shapes, token_counts
from conversations.sandbox.block_rules import check_block
from conversations.sandbox.message_rules import check_messages
from conversations.sandbox.output_schemas import check_schema
from conversations.sandbox.refused import Refused, require
from conversations.sandbox.request_text import Block, Body

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
COUNTS = {"max_uses": 1, "max_content_tokens": 1, "max_characters": 1}  # the least that each may be
COUNT_LIMIT = 2**31
DOMAINS_LIMIT = 1000
DOMAIN_LIMIT = 1000  # characters
LOCATION = {"city": r"(?s).{1,255}", "region": r"(?s).{1,255}", "country": "[A-Za-z]{2}", "timezone": r"[\w+/-]{1,255}"}
THINKING = ("thinking", "redacted_thinking")
NO_SCHEMA = (
    "custom.input_schema: JSON schema is invalid. It must match JSON Schema draft 2020-12 "
    "(https://json-schema.org/draft/2020-12)."
)


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
    sdk_shapes.THINKING[kind].check(thinking, f"thinking.{kind}")
    if kind == "enabled":
        budget = thinking.get("budget_tokens")
        require(isinstance(budget, int) and budget >= 1024, "thinking.budget_tokens: must be at least 1024")
        require(budget < body.get("max_tokens", budget + 1), "max_tokens must be greater than thinking.budget_tokens")


def _output_config(body: Body, model: Model) -> None:
    config = body.get("output_config", {})
    for name in config:
        require(name in sdk_shapes.OUTPUT_CONFIG.fields, f"output_config.{name}: Extra inputs are not permitted")
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
    names: list[object] = []
    for index, tool in enumerate(body.get("tools", [])):
        path = f"tools.{index}"
        require(isinstance(tool, dict), f"{path}: must be an object")
        _tool(tool, path)
        name = tool.get("name")
        require(name is None or name not in names, "tools: Tool names must be unique.")
        names.append(name)


def _tool(tool: Block, path: str) -> None:
    kind = tool.get("type") or "custom"
    require(isinstance(kind, str) and kind in sdk_shapes.TOOLS, f"{path}.type: unknown tool type {kind}")
    shape = sdk_shapes.TOOLS[kind]
    for field in sorted(tool.keys() - shape.fields):
        require(False, f"{path}.{kind}.{field}: Extra inputs are not permitted")
    for field, complaint in shape.complaints({**tool, "type": kind}):
        require(False, f"{path}.{field}: {complaint}")
    if "name" in shape.fields:
        name = tool.get("name", "")
        require(isinstance(name, str) and TOOL_NAME.fullmatch(name), f"{path}.name: must match {TOOL_NAME.pattern}")
    if kind == "custom":
        schema = tool.get("input_schema")
        require(isinstance(schema, dict) and schema.get("type") == "object", f"{path}.input_schema: must be an object")
        require(input_schema.complaint(schema) is None, f"{path}.{NO_SCHEMA}")
    _check_tool_values(tool, path)


def _check_tool_values(tool: Block, path: str) -> None:
    """Refuse values of a tool that have the right type, but not a value that Claude accepts."""
    for field, least in COUNTS.items():
        count = tool.get(field)
        require(count is None or least <= count < COUNT_LIMIT, f"{path}.{field}: must be at least {least}")
    both = tool.get("allowed_domains") and tool.get("blocked_domains")
    require(not both, f"{path}.blocked_domains: must not be there beside allowed_domains")
    for field in ("allowed_domains", "blocked_domains"):
        domains = tool.get(field) or ()
        fits = len(domains) <= DOMAINS_LIMIT and all(each.strip() and len(each) <= DOMAIN_LIMIT for each in domains)
        require(fits, f"{path}.{field}: must be at most {DOMAINS_LIMIT} domains")
    for field, value in (tool.get("user_location") or {}).items():
        pattern = LOCATION.get(field, "(?!)")
        named = field == "type" or value is None or re.fullmatch(pattern, str(value))
        require(named, f"{path}.user_location.{field}: is not taken")
    examples = all(isinstance(each, dict) for each in tool.get("input_examples") or ())
    require(examples, f"{path}.input_examples: must be objects")


def _tool_choice(body: Body, model: Model) -> None:
    choice = body.get("tool_choice")
    if choice is None:
        return
    kind = choice.get("type")
    require(kind in tuple(sdk_shapes.TOOL_CHOICES), "tool_choice.type: must be auto, any, tool or none")
    sdk_shapes.TOOL_CHOICES[kind].check(choice, f"tool_choice.{kind}")
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
        fine = isinstance(control, dict) and control.get("type") == "ephemeral"
        fine = fine and control.get("ttl", "5m") in tuple(sdk_shapes.CACHE_TTLS)
        require(fine, "cache_control: must be ephemeral with a ttl of 5m or 1h")
        require(block.get("type") not in THINKING, "cache_control cannot be set for thinking blocks")
        short = short or control.get("ttl", "5m") == "5m"
        require(not short or control.get("ttl", "5m") == "5m", "cache_control: a ttl of 1h must not come after 5m")


def _all_blocks(body: Body) -> Iterable[Block]:
    """Yield tools and blocks in the order of the prompt, nested ones first."""
    lists = [
        body.get("tools"),
        body.get("system"),
        *(m.get("content") for m in body["messages"] if isinstance(m, dict)),
    ]
    return [block for blocks in lists for block in _nested(blocks)]


def _nested(blocks: object) -> Iterable[Block]:
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
