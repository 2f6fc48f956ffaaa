/** A question: its text, its images and files. */

import { element, icon } from "./elements.js";
import { elementsOf, blocksOf } from "./markdown.js";

/** @typedef {Record<string, any> & {type: string}} Block */

const LONG = 1500; // characters above which a question is folded

/** The view of a question. */
export class QuestionView {
  /** @param {string | Block[]} content */
  constructor(content) {
    const blocks = typeof content === "string" ? [{ type: "text", text: content }] : content;
    this.text = textOf(blocks);
    this.files = blocks.filter((block) => block.type === "image" || block.type === "document");
    this.footer = element("div", { class: "footer" });
    this.body = element("div", { class: "body", dir: "auto" });
    this.element = element("article", { class: "message question", "aria-label": "You ask" },
      this._files(), this.body, this.footer);
    this._showText();
  }

  _files() {
    return this.files.length ? element("div", { class: "files" }, ...this.files.map(fileView)) : null;
  }

  _showText() {
    this.body.hidden = !this.text;
    this.body.replaceChildren(elementsOf(blocksOf(this.text)));
    if (this.text.length > LONG) this._fold();
  }

  _fold() {
    const unfold = element("button", { type: "button", class: "link", onclick: () => toggle() }, "Show more");
    const toggle = () => {
      unfold.textContent = this.body.classList.toggle("folded") ? "Show more" : "Show less";
    };
    this.body.classList.add("folded");
    this.body.after(unfold);
  }
}

/** @param {Block[]} blocks */
function textOf(blocks) {
  return blocks.filter((block) => block.type === "text").map((block) => block.text).join("\n\n");
}

/** @param {Block} block */
function fileView(block) {
  const { source } = block;
  if (block.type === "image" && source.type === "attachment") {
    const properties = { src: contentPath(source), alt: "Sent image", loading: "lazy", ...sizeOf(block) };
    const image = element("img", properties);
    return element("a", { href: contentPath(source), target: "_blank", class: "image" }, image);
  }
  const name = block.title ?? source.media_type ?? "File";
  const inner = [icon("file"), element("span", {}, name)];
  const href = source.type === "attachment" ? contentPath(source) : undefined;
  return element("a", { class: "file", href, target: "_blank", rel: "noopener noreferrer" }, ...inner);
}

/** @param {any} source */
function contentPath({ attachment }) {
  return `/api/attachments/${encodeURIComponent(attachment)}/content/`;
}

/** Its size keeps the page from jumping when the image comes. @param {Block} block */
function sizeOf({ width, height }) {
  return width && height ? { width, height } : {};
}
