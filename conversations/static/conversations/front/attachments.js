/** Images and files to be asked about: pasted, dropped or chosen, uploaded at once, shown before they are sent. */

import { announce, element, icon, iconButton } from "./elements.js";
import { errorText } from "./notices.js";

/** @typedef {import("../client.js").Client} Client */
/** @typedef {{file: File, chip: HTMLElement, attachment: any, leaving: AbortController}} Coming */

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
    /** @type {Coming[]} */
    this._files = [];
    this._wire(form);
  }

  get count() {
    return this._files.length;
  }

  /** Whether one is still on its way to the server. */
  get areComing() {
    return this._files.some(({ attachment }) => !attachment);
  }

  /** The files by their names, as content blocks. @returns {{name: string, block: any}[]} */
  get contents() {
    return this._files.map(({ attachment, file }) => ({ name: file.name, block: blockOf(attachment, file.name) }));
  }

  /** Return the files as content blocks, and begin anew. */
  take() {
    const blocks = this.contents.map(({ block }) => block);
    this._files = [];
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
    form.addEventListener("paste", (event) => {
      const files = [...(event.clipboardData?.files ?? [])];
      if (files.length) event.preventDefault();
      this.add(files);
    });
    this._wireDrop();
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

  /** @param {File} file */
  async _upload(file) {
    const progress = element("progress", { max: 1, value: 0, "aria-label": `Uploading ${file.name}` });
    const coming = { file, attachment: null, leaving: new AbortController(), chip: this._chip(file, progress) };
    this._files.push(coming);
    this._place.append(coming.chip);
    const remove = iconButton("close", `Remove ${file.name}`, () => this._remove(coming));
    coming.chip.append(remove);
    try {
      const onProgress = (/** @type {number} */ share) => (progress.value = share);
      coming.attachment = await this._client.upload(file, { onProgress, signal: coming.leaving.signal });
      announce(`${file.name} is attached.`);
      progress.remove();
    } catch (error) {
      if (!coming.leaving.signal.aborted) this._failed(coming, error);
    }
    this._onChange();
  }

  /** @param {Coming} coming @param {unknown} error */
  _failed(coming, error) {
    this._files = this._files.filter((each) => each !== coming);
    coming.chip.classList.add("failed");
    const text = `${coming.file.name}: ${errorText(/** @type {any} */ (error))}`;
    coming.chip.replaceChildren(element("span", { role: "alert" }, text),
      iconButton("close", "Close", () => coming.chip.remove()));
  }

  /** @param {Coming} coming */
  _remove(coming) {
    coming.leaving.abort(new DOMException("Removed.", "AbortError"));
    this._files = this._files.filter((each) => each !== coming);
    coming.chip.remove();
    this._onChange();
  }

  /** @param {File} file @param {HTMLElement} progress */
  _chip(file, progress) {
    const name = element("span", { class: "name" }, file.name);
    return element("div", { class: "chip" }, preview(file), name, progress);
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
