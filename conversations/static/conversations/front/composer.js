/** The form for questions: text, images and files, and what to do while another answer is running. */

import { Attachments } from "./attachments.js";
import { byId } from "./elements.js";
import { takeUnsent } from "./unsent.js";

/** @typedef {import("../client.js").Client} Client */

const LONG_PASTE = 20_000; // characters above which what is pasted becomes a file, as a field of that length is slow
const TOUCH = matchMedia("(hover: none) and (pointer: coarse)"); // Enter is the only way to a new line there

/**
 * @typedef {object} Handlers
 * @property {(content: any[], onActive?: "queue" | "interrupt") => void} ask
 * @property {() => void} stop the answer that is being written
 * @property {() => void} edit the last question
 */

/** The form at the bottom of the page. */
export class Composer {
  /**
   * @param {Client} client
   * @param {Handlers} handlers
   */
  constructor(client, handlers) {
    this._handlers = handlers;
    this._form = byId("composer");
    this._input = byId("question");
    this._stop = byId("stop");
    this._send = byId("send");
    this._interrupt = byId("interrupt");
    this._busy = false;
    this._draft = "";
    this.attachments = new Attachments(client, this._form, byId("files"), () => this._update());
    this._wire();
  }

  /**
   * Restore the draft of a conversation, or the text that was typed while the page was loading.
   * @param {string | null} conversation
   */
  open(conversation) {
    const isFirst = !this._draft;
    this._draft = `draft:${conversation ?? "new"}`;
    this._input.value = sessionStorage.getItem(this._draft) ?? (isFirst ? this._input.value : "");
    this.attachments.open(this._draft);
    if (isFirst) takeUnsent(conversation).forEach((content) => this.putBack(content));
    this._update();
  }

  /** Go on with what is being typed in a conversation that has its id by now. @param {string} conversation */
  moveTo(conversation) {
    sessionStorage.removeItem(this._draft);
    this._draft = `draft:${conversation}`;
    this.attachments.moveTo(this._draft);
    this._update();
  }

  /** Tell whether an answer is being written. @param {boolean} busy */
  setBusy(busy) {
    this._busy = busy;
    this._update();
  }

  /** Put a text in, to be edited. @param {string} text */
  fill(text) {
    this._input.value = text;
    this._update();
    this.focus();
  }

  /**
   * Put a question back into the form, to be edited and sent again; text that was typed meanwhile stays below it.
   * @param {any[]} content
   */
  putBack(content) {
    const texts = content.filter((block) => block.type === "text").map((block) => block.text);
    this.attachments.putBack(content.filter((block) => block.type !== "text"));
    this.fill([...texts, this._input.value].filter(Boolean).join("\n\n"));
  }

  focus() {
    this._input.focus();
  }

  _wire() {
    this._form.addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      this._ask(this._busy ? "queue" : undefined);
    });
    this._input.addEventListener("input", () => this._update());
    this._input.addEventListener("paste", (/** @type {ClipboardEvent} */ event) => this._pasted(event));
    this._input.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => this._key(event));
    this._stop.addEventListener("click", () => this._handlers.stop());
    this._interrupt.addEventListener("click", () => this._ask("interrupt"));
  }

  /** @param {KeyboardEvent} event */
  _key(event) {
    const command = event.ctrlKey || event.metaKey;
    if (event.key === "Enter" && !event.isComposing && (command || !(event.shiftKey || TOUCH.matches))) {
      event.preventDefault();
      this._form.requestSubmit();
    } else if (event.key === "Escape" && this._busy) this._handlers.stop();
    else if (event.key === "ArrowUp" && !this._input.value) this._handlers.edit();
  }

  /** @param {ClipboardEvent} event */
  _pasted(event) {
    const text = event.clipboardData?.getData("text/plain") ?? "";
    if (text.length <= LONG_PASTE) return;
    event.preventDefault();
    this.attachments.add([new File([text], "Pasted text.txt", { type: "text/plain" })]);
  }

  /** @param {"queue" | "interrupt"} [onActive] */
  _ask(onActive) {
    if (!this._isReady) return;
    if (TOUCH.matches) this._input.blur(); // what hides half of the answer goes: the keyboard
    const text = this._input.value.trim();
    const content = [...this.attachments.take(), ...(text ? [{ type: "text", text }] : [])];
    this._input.value = "";
    this._update();
    this._handlers.ask(content, onActive);
  }

  get _isReady() {
    return !this.attachments.areComing && Boolean(this._input.value.trim() || this.attachments.count);
  }

  _update() {
    this._send.disabled = !this._isReady;
    this._send.setAttribute("aria-label", this._busy ? "Ask when this answer is complete" : "Ask");
    this._send.title = this._busy ? "Ask when this answer is complete" : "Ask (Enter)";
    this._stop.hidden = !this._busy;
    this._interrupt.hidden = !(this._busy && this._isReady);
    this._send.hidden = this._busy && !this._isReady;
    this._keepDraft();
    this._grow();
  }

  _keepDraft() {
    if (!this._input.value) return sessionStorage.removeItem(this._draft);
    try {
      sessionStorage.setItem(this._draft, this._input.value);
    } catch {
      sessionStorage.removeItem(this._draft); // longer than what a browser keeps: it lasts as long as the page
    }
  }

  /** Browsers that know `field-sizing` do it by themselves. */
  _grow() {
    if (CSS.supports("field-sizing", "content")) return;
    this._input.style.height = "auto";
    this._input.style.height = `${this._input.scrollHeight}px`;
  }
}
