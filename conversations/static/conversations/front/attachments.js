/** Attachments of the next question: pasted, dropped or chosen, uploaded at once, shown before they are sent. */

import { announce, element, icon, iconButton } from "./elements.js";
import { errorText } from "./notices.js";

/** @typedef {import("../client.js").Client} Client */
/**
 * @typedef {object} Coming A file of the next question.
 * @property {string} name
 * @property {HTMLElement} chip shows it
 * @property {any} block what is sent; null while it is uploaded
 * @property {AbortController} leaving
 */

/** The files of the next question. */
export class Attachments {
  /**
   * @param {Client} client
   * @param {HTMLFormElement} form
   * @param {HTMLElement} place where they are shown
   * @param {() => void} onChange
   */
  constructor(client, form, place, onChange) {
    this._client = client;
    this._place = place;
    this._onChange = onChange;
    /** The files of each draft, which wait while another conversation is open. @type {Map<string, Coming[]>} */
    this._drafts = new Map();
    this._draft = "";
    this._wire(form);
  }

  /** Show the files of a draft. @param {string} draft */
  open(draft) {
    this._draft = draft;
    this._place.replaceChildren(...this._files.map(({ chip }) => chip));
  }

  /** Go on with the files that are shown as those of another draft. @param {string} draft */
  moveTo(draft) {
    this._drafts.set(draft, this._files);
    this._drafts.delete(this._draft);
    this._draft = draft;
  }

  get _files() {
    return this._drafts.get(this._draft) ?? [];
  }

  get count() {
    return this._files.length;
  }

  /** Whether an upload is still running. */
  get areComing() {
    return this._files.some(({ block }) => !block);
  }

  /** The files by their names, as content blocks. @returns {{name: string, block: any}[]} */
  get contents() {
    return this._files.map(({ name, block }) => ({ name, block }));
  }

  /** Return the files as content blocks, and clear the list. */
  take() {
    const blocks = this.contents.map(({ block }) => block);
    this._drafts.delete(this._draft);
    this._place.replaceChildren();
    return blocks;
  }

  /** @param {HTMLFormElement} form */
  _wire(form) {
    const input = /** @type {HTMLInputElement} */ (form.querySelector("input[type=file]"));
    input.addEventListener("change", () => {
      this.add([...(input.files ?? [])]);
      input.value = "";
    });
    form.querySelector("[data-attach]")?.addEventListener("click", () => input.click());
    form.addEventListener("paste", (event) => this._pasted(event));
    this._wireDrop();
  }

  /** Cells of a table come as a text, and as a picture of it: the text is meant. @param {ClipboardEvent} event */
  _pasted(event) {
    const { files, types } = event.clipboardData ?? new DataTransfer();
    if (!files.length || (types.includes("text/plain") && types.includes("text/html"))) return;
    event.preventDefault();
    this.add([...files]);
  }

  _wireDrop() {
    const body = document.body;
    const hasFiles = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files");
    body.addEventListener("dragover", (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      body.classList.add("dropping");
    });
    body.addEventListener("dragleave", (event) => {
      if (!event.relatedTarget) body.classList.remove("dropping");
    });
    body.addEventListener("drop", (event) => {
      body.classList.remove("dropping");
      if (!hasFiles(event)) return;
      event.preventDefault();
      this.add([...(event.dataTransfer?.files ?? [])]);
    });
  }

  /** Upload files. @param {File[]} files */
  add(files) {
    for (const file of files) this._upload(file);
    if (files.length) this._onChange();
  }

  /** Take files again that are on the server, as content blocks. @param {any[]} blocks */
  putBack(blocks) {
    for (const block of blocks) this._show(block.title ?? "Image", block.type === "image" ? null : icon("file"), block);
    this._onChange();
  }

  /**
   * @param {string} name
   * @param {Element | null} picture
   * @param {any} block
   * @returns {Coming}
   */
  _show(name, picture, block = null) {
    const chip = element("div", { class: "chip" }, picture, element("span", { class: "name", title: name }, name));
    const coming = { name, chip, block, leaving: new AbortController() };
    chip.append(iconButton("close", `Remove ${name}`, () => this._remove(coming)));
    this._drafts.set(this._draft, [...this._files, coming]);
    this._place.append(chip);
    return coming;
  }

  /** @param {File} file */
  async _upload(file) {
    const { name } = file;
    const progress = element("progress", { max: 1, value: 0, "aria-label": `Uploading ${name}` });
    const coming = this._show(name, preview(file));
    coming.chip.lastElementChild?.before(progress);
    try {
      const onProgress = (/** @type {number} */ share) => (progress.value = share);
      const attachment = await this._client.upload(file, { onProgress, signal: coming.leaving.signal });
      coming.block = blockOf(attachment, name);
      announce(`${name} is attached.`);
      progress.remove();
    } catch (error) {
      if (!coming.leaving.signal.aborted) this._failed(coming, error);
    }
    this._onChange();
  }

  /** @param {Coming} coming @param {unknown} error */
  _failed(coming, error) {
    this._forget(coming);
    coming.chip.classList.add("failed");
    const text = `${coming.name}: ${errorText(/** @type {any} */ (error))}`;
    coming.chip.replaceChildren(element("span", { role: "alert" }, text),
      iconButton("close", "Close", () => coming.chip.remove()));
  }

  /** @param {Coming} coming */
  _remove(coming) {
    coming.leaving.abort(new DOMException("Removed.", "AbortError"));
    this._forget(coming);
    coming.chip.remove();
    this._onChange();
  }

  /** @param {Coming} coming */
  _forget(coming) {
    for (const [draft, files] of this._drafts) this._drafts.set(draft, files.filter((each) => each !== coming));
  }
}

/** @param {File} file */
function preview(file) {
  if (!file.type.startsWith("image/")) return icon("file");
  const src = URL.createObjectURL(file);
  return element("img", { src, alt: "", onload: () => URL.revokeObjectURL(src) });
}

/** @param {any} attachment @param {string} name */
function blockOf(attachment, name) {
  const source = { type: "attachment", attachment: attachment.id };
  return attachment.media_type.startsWith("image/")
    ? { type: "image", source }
    : { type: "document", source, title: name };
}
