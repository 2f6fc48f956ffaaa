/** Blocks of code: their language, a button to copy them, colours. highlight.js is loaded when there is some. */

import { copyText } from "./copying.js";
import { element, iconButton } from "./elements.js";

const COLOURED_AT_MOST = 60_000; // characters: more takes too long
const SCRIPT = new URL("../vendor/highlight.js", import.meta.url).href;

/** @type {Promise<any> | undefined} */
let loading;
/** @type {any} highlight.js, once it is there */
let library;

/**
 * Give a block of code its head, and colours if it is final.
 * @param {HTMLPreElement} pre
 * @param {boolean} isFinal
 */
export function dressCode(pre, isFinal) {
  const code = pre.querySelector("code");
  if (!code) return;
  const language = /language-([\w+#.-]+)/.exec(code.className)?.[1] ?? "";
  const frame = codeFrame(language, code);
  pre.replaceWith(frame);
  pre.tabIndex = 0;
  frame.append(pre);
  if (isFinal) colour(code);
}

/**
 * Return the frame of a block of code, with its head and without the code.
 * @param {string} language
 * @param {HTMLElement} code what is copied
 */
function codeFrame(language, code) {
  const copy = iconButton("copy", "Copy the code", () => copyText(code.textContent ?? "", copy));
  return element("div", { class: "code" }, element("div", { class: "code-head" }, element("span", {}, language), copy));
}

/**
 * Colour a block of code: at once where the library is there, else as soon as it is.
 * @param {HTMLElement} code
 */
function colour(code) {
  const language = /language-([\w+#.-]+)/.exec(code.className)?.[1];
  if (!language || (code.textContent ?? "").length > COLOURED_AT_MOST) return;
  if (library) paint(code, language);
  else load().then(() => paint(code, language), () => {}); // without it the code has no colours
}

async function load() {
  loading ??= import(SCRIPT);
  library = (await loading).default;
}

/** @param {HTMLElement} code @param {string} language */
function paint(code, language) {
  if (!library.getLanguage(language)) return;
  const { value } = library.highlight(code.textContent, { language, ignoreIllegals: true });
  const options = { ALLOWED_TAGS: ["span"], ALLOWED_ATTR: ["class"], RETURN_DOM_FRAGMENT: true };
  code.replaceChildren(/** @type {any} */ (globalThis).DOMPurify.sanitize(value, options));
}
