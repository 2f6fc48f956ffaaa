/** The sources of an extraction, with the quotes of values highlighted. */

import { element } from "../../conversations/front/elements.js";
import { PdfSource } from "./pdf_source.js";
import { textView } from "./text_source.js";

/** @typedef {import("../../conversations/client.js").Client} Client */

/** All sources of an extraction. */
export class SourcesView {
  /**
   * @param {Client} client
   * @param {string} extraction
   * @param {HTMLElement} place
   * @param {(path: string) => void} onChosen told of the value whose quote is clicked on
   */
  constructor(client, extraction, place, onChosen) {
    this._client = client;
    this._extraction = extraction;
    this._place = place;
    /** @type {Map<number, PdfSource>} */
    this._pdfs = new Map();
    /** What opens the texts of PDFs, by the sources' indexes. @type {Map<number, () => Promise<void>>} */
    this._texts = new Map();
    /** The value whose quote was looked at last. @type {[path: string, evidence: any] | null} */
    this._revealed = null;
    place.addEventListener("click", (event) => {
      const mark = /** @type {HTMLElement} */ (event.target).closest("mark");
      const [path] = pathsOf(mark);
      if (path !== undefined) onChosen(path);
    });
  }

  /**
   * Show the sources, with the places that evidence has in them; a quote that was in sight is again.
   * @param {any[]} sources @param {any[]} evidence
   */
  async show(sources, evidence) {
    this._pdfs.clear();
    this._texts.clear();
    this._place.replaceChildren(...await Promise.all(sources.map((source) => this._source(source, evidence))));
    if (this._revealed) await this.reveal(...this._revealed);
  }

  /**
   * Bring the quote of a value into sight.
   * @param {string} path @param {any} evidence of it
   * @returns {Promise<boolean>} whether it is to be seen
   */
  async reveal(path, evidence) {
    this._revealed = [path, evidence];
    for (const each of this._place.querySelectorAll("mark.chosen")) each.classList.remove("chosen");
    if (!evidence) return false;
    const page = evidence.page ? await this._pdfs.get(evidence.source)?.page(evidence.page) : null;
    const isHidden = !this._marksOf(path).some(isVisible) && Number.isInteger(evidence.start);
    if (isHidden) await this._texts.get(evidence.source)?.();
    const marks = this._marksOf(path);
    for (const mark of marks) mark.classList.add("chosen");
    const seen = marks.find(isVisible) ?? page ?? this._part(evidence.source);
    seen?.scrollIntoView({ block: "center", behavior: "smooth" });
    return marks.length > 0;
  }

  /** @param {string} path @returns {HTMLElement[]} */
  _marksOf(path) {
    const all = /** @type {HTMLElement[]} */ ([...this._place.querySelectorAll("mark")]);
    return all.filter((mark) => pathsOf(mark).includes(path));
  }

  /** @param {number} index */
  _part(index) {
    return /** @type {HTMLElement | null} */ (this._place.querySelector(`[data-source="${index}"]`));
  }

  /** @param {any} source @param {any[]} evidence */
  async _source(source, evidence) {
    const of = evidence.filter((each) => each.source === source.index);
    const heading = source.title && element("h3", {}, source.title);
    return element("article", { dataset: { source: source.index } }, heading, ...await this._shown(source, of));
  }

  /** @param {any} source @param {any[]} evidence of it @returns {Promise<Node[]>} */
  async _shown(source, evidence) {
    if (source.kind === "pdf" && source.attachment) return this._pdf(source, evidence);
    if (source.kind === "image" && source.attachment) {
      const src = this._client.http.url(`attachments/${source.attachment}/content/`);
      return [element("img", { class: "picture", src, alt: source.title ?? "The image with the extracted data" })];
    }
    if (source.has_text) return [await this._text(source, evidence)];
    return [element("p", { class: "quiet" }, "Only Claude has seen this part; it can't be shown here.")];
  }

  /** @param {any} source @param {any[]} evidence */
  async _pdf(source, evidence) {
    const pdf = new PdfSource(this._client, this._extraction, source);
    this._pdfs.set(source.index, pdf);
    if (!source.has_text) return [pdf.element];
    const details = element("details", { class: "fold" }, element("summary", {}, "Its text"));
    /** @type {Promise<void> | null} */
    let filling = null;
    const fill = async () => details.append(await this._text(source, evidence));
    const open = () => {
      details.open = true;
      return (filling ??= fill());
    };
    this._texts.set(source.index, open);
    details.addEventListener("toggle", () => void (details.open && open()));
    return [pdf.element, details];
  }

  /** @param {any} source @param {any[]} evidence */
  async _text(source, evidence) {
    const { text } = await this._client.extractions.sourceText(this._extraction, source.index);
    return textView(text, evidence);
  }
}

/** @param {HTMLElement} mark */
function isVisible(mark) {
  return mark.offsetParent !== null;
}

/** Return the paths of the values that a mark is for. @param {HTMLElement | null} mark @returns {string[]} */
function pathsOf(mark) {
  return JSON.parse(mark?.dataset.paths ?? "[]");
}
