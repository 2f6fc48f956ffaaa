/** Mathematics in Markdown: $…$, $$…$$, \(…\) and \[…\]. KaTeX is loaded when there is some. */

const INLINE = [/^\$(?!\s)((?:\\.|[^\\$\n])+?)(?<!\s)\$(?!\d)/, /^\\\(([^\n]+?)\\\)/];
const DISPLAY = [/^\$\$([^]{1,4000}?)\$\$/, /^\\\[([^]{1,4000}?)\\\]/]; // else each mark is looked for to the end
const STARTS = { block: /(?<=^|\n)(?:\$\$|\\\[)/, inline: /\$|\\[([]/ }; // a block interrupts a paragraph
const LIMITS = { trust: false, strict: false, throwOnError: false, maxSize: 20, maxExpand: 500 };
const STYLE = new URL("../vendor/katex/katex.min.css", import.meta.url).href;
const SCRIPT = new URL("../vendor/katex/katex.min.js", import.meta.url).href;
const FONTS = /^"?KaTeX_(?:Main|Math|Size\d)/; // which nearly all formulae have
const PATIENCE = 1000; // milliseconds that messages with formulae wait for them

/** @type {Promise<void> | undefined} */
let loading;

/** Extensions of marked. */
export const MATHEMATICS = [
  extension("block_mathematics", "block", DISPLAY, true),
  extension("display_mathematics", "inline", DISPLAY, true),
  extension("inline_mathematics", "inline", INLINE, false),
];

/** @param {string} name @param {"block" | "inline"} level @param {RegExp[]} patterns @param {boolean} isDisplay */
function extension(name, level, patterns, isDisplay) {
  return {
    name,
    level,
    start: (/** @type {string} */ source) => source.match(STARTS[level])?.index,
    tokenizer(/** @type {string} */ source) {
      const found = patterns.map((pattern) => pattern.exec(source)).find(Boolean);
      return found ? { type: name, raw: found[0], tex: found[1] } : undefined;
    },
    renderer: (/** @type {any} */ { tex }) => placeholder(tex, isDisplay),
  };
}

/** @param {string} tex @param {boolean} isDisplay */
function placeholder(tex, isDisplay) {
  const escaped = tex.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
  return `<span class="math${isDisplay ? " display" : ""}">${escaped}</span>`;
}

/**
 * Show the formulae in a fragment: at once where KaTeX is there, else as soon as it is.
 * @param {ParentNode} fragment
 */
export function showMathematics(fragment) {
  const formulae = [...fragment.querySelectorAll(".math")];
  if (!formulae.length) return;
  if (/** @type {any} */ (globalThis).katex) formulae.forEach(show);
  else load().then(() => formulae.forEach(show), () => {}); // without it the source stays
}

/**
 * Resolve when the formulae made so far are shown, or take too long to wait for. What is put into the page after that
 * keeps its height.
 * @returns {Promise<unknown>}
 */
export function mathematicsShown() {
  return Promise.race([loading?.catch(() => {}), new Promise((resolve) => setTimeout(resolve, PATIENCE))]);
}

function load() {
  loading ??= Promise.all([import(SCRIPT), loadStyle().then(loadFonts)]).then(() => {});
  return loading;
}

/** Load the usual fonts: were they to come once a formula is shown, it would change its size. */
function loadFonts() {
  const usual = [...document.fonts].filter(({ family, weight }) => FONTS.test(family) && weight === "400");
  return Promise.allSettled(usual.map((face) => face.load()));
}

/** @returns {Promise<void>} */
function loadStyle() {
  const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href: STYLE });
  return new Promise((resolve, reject) => {
    link.onload = () => resolve();
    link.onerror = reject;
    document.head.append(link);
  });
}

/** Show a formula; its source, where it is nested deeper than KaTeX can follow. @param {Element} formula */
function show(formula) {
  const source = formula.textContent;
  const displayMode = formula.classList.contains("display");
  try {
    /** @type {any} */ (globalThis).katex.render(source, formula, { ...LIMITS, displayMode });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    formula.textContent = source;
  }
}
