/** The text of a source, with the quotes of values highlighted. */

import { element } from "../../conversations/front/elements.js";
import { segmentsOf } from "./segments.js";

/** @typedef {import("./segments.js").Segment} Segment */

const BLOCK = 8_000; // characters, after which the next line begins a block: those out of sight need not be laid out

/**
 * Return a text as an element.
 * @param {string} text
 * @param {any[]} evidence of this text
 */
export function textView(text, evidence) {
  const spans = evidence.filter(({ start, end }) => Number.isInteger(start) && Number.isInteger(end));
  const place = element("div", { class: "text" });
  let block = newBlock(place);
  for (const segment of segmentsOf(text, spans)) {
    const pieces = segment.paths.length ? [segment.text] : linesIn(segment.text);
    for (const piece of pieces) {
      if (Number(block.dataset.length) > BLOCK && block.dataset.whole) block = newBlock(place);
      block.append(segment.paths.length ? mark({ ...segment, text: piece }) : piece);
      block.dataset.length = String(Number(block.dataset.length) + piece.length);
      block.dataset.whole = piece.endsWith("\n") ? "yes" : "";
    }
  }
  return place;
}

/** @param {HTMLElement} place */
function newBlock(place) {
  const block = element("div", { class: "block", dataset: { length: "0", whole: "" } });
  place.append(block);
  return block;
}

/** Divide a long text after lines. @param {string} text */
function linesIn(text) {
  if (text.length <= BLOCK) return [text];
  /** @type {string[]} */
  const pieces = [];
  for (let at = 0; at < text.length; ) {
    const line = text.indexOf("\n", at + BLOCK);
    const end = line === -1 ? text.length : line + 1;
    pieces.push(text.slice(at, end));
    at = end;
  }
  return pieces;
}

/** @param {Segment} segment */
function mark({ text, paths }) {
  return element("mark", { dataset: { paths: JSON.stringify(paths) } }, text);
}
