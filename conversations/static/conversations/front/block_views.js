/** The views of an answer's blocks: text, thinking, tool calls, and other kinds. Each view can grow. */

import { element, icon } from "./elements.js";
import { GrowingMarkdown } from "./growing_markdown.js";
import { sourceList } from "./sources.js";

/** @typedef {Record<string, any> & {type: string}} Block */

const CALLS = new Set(["tool_use", "server_tool_use", "mcp_tool_use"]);

/** Text blocks that follow each other: with citations, Claude divides a paragraph into many. */
export class TextView {
  constructor() {
    this.element = element("div", { class: "text" });
    this._markdown = new GrowingMarkdown(this.element);
    this._sources = element("div");
    this.element.append(this._sources);
  }

  /** @param {Block[]} blocks @param {boolean} isWhole whether nothing is added any more */
  show(blocks, isWhole) {
    /** @type {any[]} */
    const sources = [];
    const parts = blocks.map((block, index) => {
      const isClosed = isWhole || index < blocks.length - 1;
      return (block.text ?? "") + (isClosed ? marksFor(block.citations ?? [], sources) : "");
    });
    this._markdown.show(parts.join(""));
    if (!isWhole) return;
    this._markdown.finish();
    this._sources.replaceChildren(...sourceList(sources));
  }
}

/**
 * Return the marks of a block's citations, which are noted as sources, each once.
 * @param {any[]} citations
 * @param {any[]} sources
 */
function marksFor(citations, sources) {
  return citations.map((citation) => {
    const text = JSON.stringify(citation);
    let index = sources.findIndex((each) => JSON.stringify(each) === text);
    if (index < 0) index = sources.push(citation) - 1;
    return `\uE000${index + 1}\uE001`;
  }).join("");
}

/** Claude's thinking, collapsed. */
export class ThinkingView {
  constructor() {
    this._label = element("span", {}, "Thinking…");
    this._text = element("div", { class: "thought" });
    this.element = element("details", { class: "aside thinking" },
      element("summary", {}, icon("thinking"), this._label), this._text);
    this._shown = 0;
  }

  /** @param {Block[]} blocks @param {boolean} isWhole */
  show([block], isWhole) {
    const thought = block.type === "redacted_thinking" ? "This part is encrypted." : block.thinking ?? "";
    this._text.append(thought.slice(this._shown));
    this._shown = thought.length;
    if (isWhole) this._label.textContent = thought ? "Thought" : "Thought (not shown)";
    this.element.classList.toggle("busy", !isWhole);
  }
}

/** A tool call with its result. */
export class ToolView {
  constructor() {
    this._name = element("strong");
    this._state = element("span", { class: "state" });
    this._input = element("pre", { tabindex: 0 });
    this._result = element("div");
    this.element = element("details", { class: "aside tool" },
      element("summary", {}, icon("tool"), this._name, this._state),
      element("div", { class: "tool-body" }, element("h4", {}, "Input"), this._input, this._result));
  }

  /** @param {Block[]} blocks @param {boolean} isWhole @param {string} partialInput */
  show([block], isWhole, partialInput) {
    this._name.textContent = block.name;
    const hasInput = isWhole || !partialInput;
    this._input.textContent = hasInput ? JSON.stringify(block.input ?? {}, null, 2) : partialInput;
  }

  /** @param {Block | undefined} result @param {boolean} isRunning whether one may still come */
  conclude(result, isRunning) {
    const failed = result?.is_error || result?.content?.type?.endsWith("_error");
    this._state.textContent = result ? (failed ? "failed" : "done") : isRunning ? "running…" : "no result";
    this.element.classList.toggle("busy", !result && isRunning);
    if (result && !this._result.childElementCount) this._result.append(...resultOf(result));
  }
}

/** @param {Block} result @returns {Node[]} */
function resultOf(result) {
  const links = Array.isArray(result.content) ? result.content.filter((each) => each.type === "web_search_result") : [];
  const list = () => element("ul", {}, ...links.map(linkItem));
  return [element("h4", {}, "Result"), links.length ? list() : element("pre", { tabindex: 0 }, textOf(result))];
}

/** @param {any} found */
function linkItem(found) {
  const isSafe = /^https?:/i.test(found.url);
  const properties = isSafe ? { href: found.url, target: "_blank", rel: "noopener noreferrer nofollow" } : {};
  return element("li", {}, element("a", properties, found.title ?? found.url));
}

/** @param {Block} result */
function textOf({ content }) {
  if (typeof content === "string") return content;
  const texts = Array.isArray(content) ? content.filter((each) => each.type === "text").map((each) => each.text) : [];
  return texts.length ? texts.join("\n") : JSON.stringify(content, null, 2);
}

/** A block of an unknown kind, as JSON. */
export class OtherView {
  constructor() {
    this._text = element("pre", { tabindex: 0 });
    this._label = element("span");
    const summary = element("summary", {}, icon("other"), this._label);
    this.element = element("details", { class: "aside" }, summary, this._text);
  }

  /** @param {Block[]} blocks */
  show([block]) {
    this._label.textContent = block.type.replaceAll("_", " ");
    this._text.textContent = JSON.stringify(block, null, 2);
  }
}

/** Whether a block is the result of a call that an answer has made. @param {Block} block */
export function isResult(block) {
  return "tool_use_id" in block;
}

/** @param {Block} block */
export function viewFor(block) {
  if (block.type === "text") return new TextView();
  if (block.type === "thinking" || block.type === "redacted_thinking") return new ThinkingView();
  return CALLS.has(block.type) ? new ToolView() : new OtherView();
}
