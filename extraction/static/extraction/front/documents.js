/** The documents to extract from: files that are dropped, pasted or chosen, and text. */

import { Attachments } from "../../conversations/front/attachments.js";
import { byId } from "../../conversations/front/elements.js";

/** @typedef {import("../../conversations/client.js").Client} Client */
/** @typedef {{key: string, content: any[]}} Document `key` is its name, or the first words of a text */

/** Text that is to be read as something else, by the ends of names. @type {Record<string, string>} */
const TEXTUAL = { csv: "text/csv", html: "text/html", htm: "text/html", eml: "message/rfc822" };
const TITLE_LENGTH = 60;

/** The documents of the next extraction or batch. */
export class Documents {
  /** @param {Client} client @param {HTMLFormElement} form @param {() => void} onChange */
  constructor(client, form, onChange) {
    this._text = byId("text");
    this._files = new Attachments(client, form, byId("files"), onChange);
    this._text.addEventListener("input", onChange);
    for (const button of document.querySelectorAll("[data-sample]")) {
      button.addEventListener("click", () => this._addSample(/** @type {HTMLElement} */ (button).dataset.sample ?? ""));
    }
  }

  /** Whether an upload is still running. */
  get areComing() {
    return this._files.areComing;
  }

  get count() {
    return this._files.count + (this._text.value.trim() ? 1 : 0);
  }

  /** Return the documents, each with a name of its own. @returns {Document[]} */
  get all() {
    const files = this._files.contents.map(({ name, block }) => ({ key: name, content: [asItIs(block, name)] }));
    const text = this._text.value;
    const texts = text.trim() ? [{ key: titleOf(text), content: [{ type: "text", text }] }] : [];
    return withKeysOfTheirOwn([...files, ...texts]);
  }

  /** @param {string} name */
  async _addSample(name) {
    const answer = await fetch(`/extract/samples/${name}`);
    this._files.add([new File([await answer.blob()], name)]);
  }
}

/** @param {any} block @param {string} name */
function asItIs(block, name) {
  const media_type = TEXTUAL[name.split(".").at(-1)?.toLowerCase() ?? ""];
  return media_type ? { ...block, source: { ...block.source, media_type } } : block;
}

/** @param {string} text */
function titleOf(text) {
  const line = text.trim().split("\n")[0];
  return line.length > TITLE_LENGTH ? `${Array.from(line).slice(0, TITLE_LENGTH).join("")}…` : line;
}

/** @param {Document[]} documents @returns {Document[]} */
function withKeysOfTheirOwn(documents) {
  /** @type {Set<string>} */
  const taken = new Set();
  return documents.map(({ key, content }) => {
    let own = key.slice(0, 200);
    for (let number = 2; taken.has(own); number++) own = `${key.slice(0, 200)} (${number})`;
    taken.add(own);
    return { key: own, content };
  });
}
