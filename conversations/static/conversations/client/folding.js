/** Folds a turn's events into messages, in the form in which the server stores them. */

import { toolInput } from "./tool_input.js";
import { STRING_DELTAS, stringOf } from "./transcript.js";

/** @typedef {import("./transcript.js").TurnEvent} TurnEvent */
/** @typedef {Record<string, any> & {type: string}} Block one of Claude's content blocks */

/**
 * @typedef {object} FoldedMessage
 * @property {"assistant" | "user"} role "user" for the results of tools
 * @property {Block[]} content
 * @property {string | null} stop_reason
 * @property {string | null} stop_sequence
 * @property {any} stop_details
 * @property {Record<string, any>} usage
 * @property {boolean} stopped whether its end was received: only then it is complete
 */

const CALLS = new Set(["tool_use", "server_tool_use", "mcp_tool_use"]);

/** The state of a turn, computed from its events so far. It is mutated by each event, and never copied. */
export class Folding {
  constructor() {
    /** @type {FoldedMessage[]} */
    this.messages = [];
    this.position = 0;
    /** The server's word for how the turn is; "running" until its end has come. @type {string} */
    this.status = "running";
    /** @type {{type: string, message: string} | null} */
    this.error = null;
    /** The first and the last event, once they have come. @type {TurnEvent | null} */
    this.start = null;
    /** @type {TurnEvent | null} */
    this.end = null;
    /** @type {Map<number, Block>} */
    this._blocks = new Map();
    /** @type {Map<Block, string>} */
    this._json = new Map();
  }

  /** Whether the turn has ended. */
  get ended() {
    return this.end !== null;
  }

  /** The text of all answers so far. */
  get text() {
    return this._joined("text");
  }

  /** Claude's thinking so far, if it is shown. */
  get thinking() {
    return this._joined("thinking");
  }

  /** The tool calls so far, including those of the server's tools. */
  get toolCalls() {
    return this._all().filter((block) => CALLS.has(block.type));
  }

  /** The citations of the text so far. */
  get citations() {
    return this._all().flatMap((block) => block.citations ?? []);
  }

  /** The calls of the client's tools without a result. */
  get openCalls() {
    const answered = new Set(this._all().map((block) => block.tool_use_id));
    return this.toolCalls.filter((call) => call.type === "tool_use" && !answered.has(call.id));
  }

  /**
   * Return the incomplete JSON of a tool call's input so far.
   * @param {Block} call
   */
  partialInput(call) {
    return this._json.get(call) ?? "";
  }

  /**
   * Add the next event.
   * @param {TurnEvent} event
   */
  add(event) {
    this.position = event.position;
    const handler = HANDLERS[event.type];
    if (handler) handler(this, event);
  }

  _all() {
    return this.messages.flatMap((message) => message.content);
  }

  /** @param {"text" | "thinking"} kind */
  _joined(kind) {
    const strings = this._all().filter((block) => block.type === kind).map((block) => block[kind]);
    return strings.filter(Boolean).join("\n");
  }

  /** Parse the inputs of the newest message's tool calls, as far as they are complete. */
  _readInputs() {
    for (const [block, text] of this._json) block.input = text ? toolInput(text) : (block.input ?? {});
    for (const block of this._blocks.values()) if (block.type === "tool_use") block.input ??= {};
  }

  /** End the newest message: nothing more is added to its blocks. */
  _closeMessage() {
    this._readInputs();
    this._json.clear();
    this._blocks.clear();
  }
}

/** @type {Record<string, (turn: Folding, event: TurnEvent) => void>} */
const HANDLERS = {
  turn_start: (turn, event) => (turn.start = event),
  message_start: startMessage,
  tool_result: addToolResult,
  content_block_start: startBlock,
  content_block_delta: addDelta,
  message_delta: changeMessage,
  message_stop: stopMessage,
  error: (turn, event) => (turn.error = event.error),
  turn_end: endTurn,
};

/** @param {Folding} turn @param {TurnEvent} event */
function startMessage(turn, event) {
  turn._closeMessage();
  const { role = "assistant", content, stop_reason = null, stop_sequence = null, stop_details = null, usage } =
    structuredClone(event.message);
  turn.messages.push({
    role, content: content ?? [], stop_reason, stop_sequence, stop_details, usage: usage ?? {}, stopped: false,
  });
}

/** @param {Folding} turn @param {TurnEvent} event */
function addToolResult(turn, event) {
  if (turn.messages.at(-1)?.role !== "user") {
    turn._closeMessage();
    turn.messages.push({
      role: "user", content: [], stop_reason: null, stop_sequence: null, stop_details: null, usage: {}, stopped: true,
    });
  }
  /** @type {Block} */
  const result = { type: "tool_result" };
  for (const key of /** @type {const} */ (["tool_use_id", "content", "is_error"])) {
    if (key in event) result[key] = event[key];
  }
  turn.messages.at(-1)?.content.push(result);
}

/** Put a block among those of the newest message, by its index. @param {Folding} turn @param {TurnEvent} event */
function startBlock(turn, event) {
  const message = turn.messages.at(-1);
  if (!message || event.index === undefined) return;
  const block = structuredClone(event.content_block);
  const later = [...turn._blocks].filter(([index]) => index > Number(event.index)).map(([, each]) => each);
  const before = later.length ? message.content.findIndex((each) => later.includes(each)) : message.content.length;
  const again = turn._blocks.get(event.index);
  if (again) message.content.splice(message.content.indexOf(again), 1, block);
  else message.content.splice(before, 0, block);
  turn._blocks.set(event.index, block);
}

/** @param {Folding} turn @param {TurnEvent} event */
function addDelta(turn, event) {
  const block = turn._blocks.get(event.index ?? -1);
  if (!block) return;
  const string = stringOf(event);
  if (string === undefined) applyDelta(block, event.delta);
  else if (event.delta.type === "input_json_delta") addJson(turn, block, string);
  else if (block.type === STRING_DELTAS[event.delta.type]) block[block.type] = (block[block.type] ?? "") + string;
}

/** @param {Folding} turn @param {Block} block @param {string} string */
function addJson(turn, block, string) {
  if (CALLS.has(block.type) || "input" in block) turn._json.set(block, (turn._json.get(block) ?? "") + string);
}

/** @param {Block} block @param {any} delta */
function applyDelta(block, delta) {
  if (delta?.type === "signature_delta" && block.type === "thinking") block.signature = delta.signature;
  if (delta?.type === "citations_delta" && block.type === "text") {
    block.citations = [...(block.citations ?? []), delta.citation];
  }
  if (delta?.type === "compaction_delta" && block.type === "compaction") {
    const { type: _, ...rest } = delta;
    Object.assign(block, rest);
  }
}

/** @param {Folding} turn @param {TurnEvent} event */
function changeMessage(turn, event) {
  const message = turn.messages.at(-1);
  if (!message) return;
  const { stop_reason, stop_sequence, stop_details } = event.delta ?? {};
  message.stop_reason = stop_reason ?? message.stop_reason;
  message.stop_sequence = stop_sequence ?? message.stop_sequence;
  message.stop_details = stop_details ?? message.stop_details;
  const counts = Object.entries(event.usage ?? {}).filter(([, value]) => value !== null);
  Object.assign(message.usage, Object.fromEntries(counts));
}

/** @param {Folding} turn */
function stopMessage(turn) {
  const message = turn.messages.at(-1);
  if (message) message.stopped = true;
  turn._readInputs();
}

/** @param {Folding} turn @param {TurnEvent} event */
function endTurn(turn, event) {
  turn._closeMessage();
  turn.end = event;
  turn.status = event.status ?? "completed";
}
