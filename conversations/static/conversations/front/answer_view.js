/** The view of an answer: all blocks of a turn, in order, for stored and live answers alike. */

import { element } from "./elements.js";
import { ToolView, isResult, viewFor } from "./block_views.js";

/** @typedef {import("./block_views.js").Block} Block */
/** @typedef {{role: string, content: Block[]}} Said */

/** Shows an answer's blocks, and updates only changed ones. */
export class AnswerView {
  /** @param {string} name who answers */
  constructor(name) {
    this.body = element("div", { class: "body" });
    this.footer = element("div", { class: "footer" });
    const label = `${name} answers`;
    this.element = element("article", { class: "message answer", "aria-label": label }, this.body, this.footer);
    /** @type {{blocks: Block[], view: any, isWhole: boolean}[]} */
    this._parts = [];
  }

  /**
   * Show messages: those of Claude, and between them the results of tools.
   * @param {Said[]} messages
   * @param {{isWhole?: boolean, partialInput?: (block: Block) => string}} [options] whether nothing comes any more
   */
  show(messages, { isWhole = true, partialInput = () => "" } = {}) {
    const blocks = messages.flatMap((message) => message.content);
    const groups = grouped(blocks.filter((block) => !isResult(block)));
    groups.forEach((group, index) => this._showPart(index, group, isWhole || index < groups.length - 1, partialInput));
    for (const { blocks: [call], view } of this._parts) {
      if (view instanceof ToolView) view.conclude(blocks.find((block) => block.tool_use_id === call.id), !isWhole);
    }
  }

  /**
   * @param {number} index
   * @param {Block[]} blocks
   * @param {boolean} isWhole
   * @param {(block: Block) => string} partialInput
   */
  _showPart(index, blocks, isWhole, partialInput) {
    let part = this._parts[index];
    if (!part || !isSameKind(part.view, blocks[0])) {
      for (const later of this._parts.splice(index)) later.view.element.remove();
      part = this._parts[index] = { blocks, view: viewFor(blocks[0]), isWhole: false };
      this.body.append(part.view.element);
    }
    if (part.isWhole && part.blocks.length === blocks.length) return;
    Object.assign(part, { blocks, isWhole });
    part.view.show(blocks, isWhole, partialInput(blocks[0]));
  }
}

/** @param {any} view @param {Block} block */
function isSameKind(view, block) {
  return view.constructor === viewFor(block).constructor;
}

/** Return blocks in groups: text that follows text is one. @param {Block[]} blocks */
function grouped(blocks) {
  /** @type {Block[][]} */
  const groups = [];
  for (const block of blocks) {
    const last = groups.at(-1);
    if (last?.[0].type === "text" && block.type === "text") last.push(block);
    else groups.push([block]);
  }
  return groups;
}

