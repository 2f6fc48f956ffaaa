/** The pages of a PDF as images, with the quotes of values highlighted. Pages are loaded when they come into view. */

import { element } from "../../conversations/front/elements.js";

/** @typedef {import("../../conversations/client.js").Client} Client */

/** A source that is a PDF. */
export class PdfSource {
  /** @param {Client} client @param {string} extraction @param {{index: number, pages: number}} source */
  constructor(client, extraction, { index, pages }) {
    this._client = client;
    this._extraction = extraction;
    this._index = index;
    this._observer = new IntersectionObserver((entries) => this._seen(entries), { rootMargin: "400px" });
    this._pages = Array.from({ length: pages }, (_, at) => this._page(at + 1));
    this.element = element("div", { class: "pages" }, ...this._pages);
  }

  /** Have a page shown; return it once the places of its quotes are known. @param {number} number */
  async page(number) {
    const figure = this._pages[number - 1];
    if (figure) await this._load(figure, number);
    return figure ?? null;
  }

  /** @param {number} number */
  _page(number) {
    const figure = element("figure", { dataset: { page: number } },
      element("div", { class: "paper" }), element("figcaption", { class: "quiet small" }, `Page ${number}`));
    this._observer.observe(figure);
    return figure;
  }

  /** @param {IntersectionObserverEntry[]} entries */
  _seen(entries) {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      const figure = /** @type {HTMLElement} */ (target);
      this._load(figure, Number(figure.dataset.page)).catch(() => failed(figure));
    }
  }

  /** @type {Map<HTMLElement, Promise<void>>} */
  _loading = new Map();

  /** @param {HTMLElement} figure @param {number} number */
  _load(figure, number) {
    const known = this._loading.get(figure);
    if (known) return known;
    this._observer.unobserve(figure);
    const loading = this._fill(figure, number);
    this._loading.set(figure, loading);
    loading.catch(() => this._loading.delete(figure));
    return loading;
  }

  /** @param {HTMLElement} figure @param {number} number */
  async _fill(figure, number) {
    const { extractions } = this._client;
    const src = extractions.sourcePageImage(this._extraction, this._index, number);
    const image = element("img", { src, alt: `Page ${number}` });
    const page = await extractions.sourcePage(this._extraction, this._index, number);
    const paper = /** @type {HTMLElement} */ (figure.firstElementChild);
    paper.style.aspectRatio = `${page.width} / ${page.height}`;
    const marks = page.quotes.flatMap((/** @type {any} */ { path, boxes }) =>
      boxes.map((/** @type {any} */ box) => mark(path, box)));
    paper.replaceChildren(image, ...marks);
  }
}

/** @param {string} path @param {[number, number, number, number]} box in shares of the page */
function mark(path, [left, top, width, height]) {
  const made = element("mark", { dataset: { paths: JSON.stringify([path]) } });
  const percent = (/** @type {number} */ share) => `${(100 * share).toFixed(3)}%`;
  Object.assign(made.style, { left: percent(left), top: percent(top), width: percent(width), height: percent(height) });
  return made;
}

/** @param {HTMLElement} figure */
function failed(figure) {
  const text = "This page's image is not available; its text is below.";
  figure.firstElementChild?.replaceChildren(element("p", { class: "quiet" }, text));
}
