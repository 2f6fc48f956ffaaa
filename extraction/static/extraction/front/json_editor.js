/** A text area for JSON, with line numbers and a mark at the line of an error. */

import { element } from "../../conversations/front/elements.js";

/** The editor. */
export class JsonEditor {
  /** @param {HTMLTextAreaElement} area in an element with a place for numbers @param {() => void} onInput */
  constructor(area, onInput) {
    this._area = area;
    this._numbers = /** @type {HTMLElement} */ (area.parentElement?.querySelector(".numbers"));
    area.addEventListener("input", () => {
      this.mark(null);
      onInput();
    });
    area.addEventListener("scroll", () => (this._numbers.scrollTop = area.scrollTop));
    area.addEventListener("keydown", (event) => this._indent(event));
  }

  get text() {
    return this._area.value;
  }

  set text(text) {
    if (text === this._area.value) return;
    this._area.value = text;
    this.mark(null);
  }

  /** Mark a line, from 1, and bring it into sight; null marks none. @param {number | null} line */
  mark(line) {
    const count = this.text.split("\n").length;
    this._numbers.replaceChildren(...Array.from({ length: count }, (_, at) =>
      element("span", { class: at + 1 === line ? "wrong" : "" }, String(at + 1))));
    this._area.setAttribute("aria-invalid", String(line !== null));
    if (line !== null) this._area.scrollTop = (this._area.scrollHeight / count) * Math.max(0, line - 4);
    this._numbers.scrollTop = this._area.scrollTop;
  }

  /** Enter goes on at the depth of the line before. @param {KeyboardEvent} event */
  _indent(event) {
    if (event.key !== "Enter" || event.shiftKey || event.ctrlKey || event.metaKey || event.isComposing) return;
    event.preventDefault();
    const before = this.text.slice(0, this._area.selectionStart);
    const depth = /^ */.exec(before.slice(before.lastIndexOf("\n") + 1))?.[0] ?? "";
    const more = /[{[]\s*$/.test(before) ? "  " : "";
    this._area.setRangeText(`\n${depth}${more}`, this._area.selectionStart, this._area.selectionEnd, "end");
    this._area.dispatchEvent(new InputEvent("input"));
  }
}
