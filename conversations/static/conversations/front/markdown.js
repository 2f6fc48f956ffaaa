/** Markdown as elements: sanitised, without HTML of its own, with remote images as links. */

import { Marked } from "../vendor/marked.js";
import "../vendor/purify.min.js";
import { dressCode } from "./code_blocks.js";
import { element } from "./elements.js";
import { MATHEMATICS, showMathematics } from "./mathematics.js";

/** @typedef {any} Token one of marked's */

const purify = /** @type {any} */ (globalThis).DOMPurify;
const ALLOWED = {
  ALLOWED_TAGS: [
    ..."p br hr h1 h2 h3 h4 h5 h6 strong em del code pre blockquote ul ol li a sup sub span".split(" "),
    ..."table thead tbody tr th td input".split(" "),
  ],
  ALLOWED_ATTR: ["href", "title", "align", "start", "class", "type", "checked", "disabled"],
  ALLOWED_URI_REGEXP: /^(?:https?:|mailto:|#)/i,
  ADD_URI_SAFE_ATTR: ["align", "start", "type", "checked", "disabled"],
  ALLOW_DATA_ATTR: false,
  RETURN_DOM_FRAGMENT: true,
};

/** Marks where a citation stands in a text: its number between two characters that no text has a use for. */
const CITATION = /^\uE000(\d+)\uE001/;

/** @param {string} text */
const escaped = (text) => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

const citation = {
  name: "citation",
  level: "inline",
  start: (/** @type {string} */ source) => source.indexOf("\uE000"),
  tokenizer(/** @type {string} */ source) {
    const found = CITATION.exec(source);
    return found ? { type: "citation", raw: found[0], number: found[1] } : undefined;
  },
  renderer: (/** @type {Token} */ token) => `<sup class="citation">${token.number}</sup>`,
};

const LONGEST_LINE = 20_000; // characters: what has longer ones is data, in which the parser looks for marks too long

const longLine = {
  name: "long_line",
  level: "block",
  tokenizer(/** @type {string} */ source) {
    const line = source.slice(0, (source.indexOf("\n") + 1 || source.length + 1) - 1);
    return line.length > LONGEST_LINE ? { type: "long_line", raw: line, text: line } : undefined;
  },
  renderer: (/** @type {Token} */ { text }) => `<p>${escaped(text)}</p>`,
};

const renderer = {
  html: (/** @type {Token} */ { text }) => escaped(text),
  image: (/** @type {Token} */ { href, text }) =>
    `<a class="remote-image" href="${escaped(href)}">${escaped(text || "Image")}</a>`,
};

const MOST_MARKS = 500; // of emphasis in one paragraph: to pair some thousands takes the parser many seconds

/** Return what a function returns, without calling it again for the argument that it was last called with. */
const remembering = (/** @type {(text: string) => boolean} */ test, last = "", found = test(last)) =>
  (/** @type {string} */ text) => (text === last ? found : (found = test(last = text)));
const hasTooManyMarks = remembering((text) => text.replace(/[^*_]+/g, "").length > MOST_MARKS);

/** False has marked do as it does, and undefined has it find nothing. */
const tokenizer = {
  /** A single tilde is one: "~5 to ~10", "H~2~O". Two strike out. */
  del: (/** @type {string} */ source) => (source.startsWith("~~") ? false : undefined),
  emStrong: (/** @type {string} */ _source, /** @type {string} */ paragraph) =>
    hasTooManyMarks(paragraph) ? undefined : false,
};

const extensions = [longLine, citation, ...MATHEMATICS];
const marked = new Marked({ gfm: true, breaks: false, renderer, tokenizer, extensions });

/**
 * Return what marked makes of a text: blocks, of which each but the last is final. One block of plain text, where
 * quotations and lists are nested deeper than a page could show.
 * @param {string} text
 * @returns {Token[]}
 */
export function blocksOf(text) {
  try {
    const blocks = marked.lexer(text);
    marked.walkTokens(blocks, () => {}); // goes as deep as what makes elements of them does
    return blocks;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return [{ type: "paragraph", raw: text, text, tokens: [{ type: "text", raw: text, text }] }];
  }
}

/**
 * Return blocks as elements.
 * @param {Token[]} blocks
 * @param {{isFinal?: boolean}} [options] what is not final yet gets no colours
 * @returns {DocumentFragment}
 */
export function elementsOf(blocks, { isFinal = true } = {}) {
  const fragment = purify.sanitize(marked.parser(blocks), ALLOWED);
  for (const block of fragment.children) setDirection(block);
  for (const link of fragment.querySelectorAll("a")) openElsewhere(link);
  for (const table of fragment.querySelectorAll("table")) makeScrollable(table);
  for (const input of fragment.querySelectorAll("input")) tidyCheckbox(input);
  for (const pre of fragment.querySelectorAll("pre")) dressCode(pre, isFinal);
  showMathematics(fragment);
  return fragment;
}

/** Let a block run from right to left where its own first letters do; code never does. @param {any} block */
function setDirection(block) {
  if (block.tagName !== "PRE") block.dir = "auto";
}

/** A link leaves this page where it is, and tells the other side nothing. @param {HTMLAnchorElement} link */
function openElsewhere(link) {
  link.target = "_blank";
  link.rel = "noopener noreferrer nofollow";
  if (!link.classList.contains("remote-image") || !link.hostname) return;
  link.title = `Opens ${link.href}`;
  link.append(element("small", {}, ` image at ${link.hostname}, opens in a new tab`));
}

/** @param {HTMLTableElement} table */
function makeScrollable(table) {
  const about = { class: "table-frame", tabindex: 0, role: "region", "aria-label": "Table", dir: "auto" };
  const frame = element("div", about);
  table.removeAttribute("dir"); // it is looked at for the frame's
  table.replaceWith(frame);
  frame.append(table);
}

/** Checkboxes of task lists; no other inputs. @param {HTMLInputElement} input */
function tidyCheckbox(input) {
  if (input.type !== "checkbox") input.remove();
  input.disabled = true;
  input.setAttribute("aria-label", input.checked ? "done" : "to do");
}
