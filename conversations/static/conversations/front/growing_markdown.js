/**
 * Markdown that grows while it is shown.
 *
 * A block that another one follows is final: it is rendered once and never again. Only the last block is rendered anew
 * when text comes, and within a fence of code even that is only added to. So the cost grows with the text, and nothing
 * that has been read moves.
 */

import { blocksOf, elementsOf } from "./markdown.js";

const OPEN_FENCE = /^ {0,3}(`{3,}|~{3,})[^`\n]*\n/;
const LONGEST_MARK = 100; // characters of a line that closes a fence
const DEFINITION = /^ {0,3}\[[^\]\n]+\]:\s/m; // of a link, which is used before or after

/** A text of Markdown in an element. */
export class GrowingMarkdown {
  /** @param {HTMLElement} parent */
  constructor(parent) {
    this._final = document.createElement("div");
    this._last = document.createElement("div");
    this._final.className = this._last.className = "flow";
    parent.append(this._final, this._last);
    this._text = "";
    this._rest = ""; // what the last block is made of
    /** @type {{code: HTMLElement, closing: RegExp} | null} the fence that is open */
    this._fence = null;
  }

  /** Show a text, which mostly is the one before with something at its end. @param {string} text */
  show(text) {
    if (text === this._text) return;
    if (text.startsWith(this._text)) this._add(text.slice(this._text.length));
    else this._begin(text);
    this._text = text;
  }

  /** The text is complete: the last block is final, too. */
  finish() {
    if (DEFINITION.test(this._text)) this._begin(this._text);
    this._fence = null;
    this._last.replaceChildren();
    this._commit(blocksOf(this._rest));
    this._rest = "";
  }

  /** @param {string} text */
  _begin(text) {
    this._final.replaceChildren();
    this._fence = null;
    this._rest = text;
    this._render();
  }

  /** @param {string} added */
  _add(added) {
    this._rest += added;
    const lines = this._rest.slice(-added.length - LONGEST_MARK);
    if (this._fence && !this._fence.closing.test(lines)) this._fence.code.append(added);
    else this._render();
  }

  _render() {
    const blocks = blocksOf(this._rest);
    const last = blocks.findLastIndex((block) => block.type !== "space");
    const final = blocks.slice(0, Math.max(last, 0));
    this._commit(final);
    this._rest = this._rest.slice(final.reduce((sum, block) => sum + block.raw.length, 0));
    this._last.replaceChildren(elementsOf(blocks.slice(Math.max(last, 0)), { isFinal: false }));
    this._noteFence();
  }

  /** @param {any[]} blocks */
  _commit(blocks) {
    if (blocks.length) this._final.append(elementsOf(blocks));
  }

  /** Adding to an open code fence needs no parser. */
  _noteFence() {
    const mark = OPEN_FENCE.exec(this._rest)?.[1];
    const closing = mark ? new RegExp(`\\n {0,3}\\${mark[0]}{${mark.length},}[ \\t]*(?:\\n|$)`) : null;
    const code = this._last.querySelector("code");
    this._fence = closing && code && !closing.test(this._rest) ? { code, closing } : null;
  }
}

