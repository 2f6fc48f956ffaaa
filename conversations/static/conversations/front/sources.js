/** The sources that a text cites. */

import { element } from "./elements.js";

/**
 * Return a folded list of the sources of citations, if there are any.
 * @param {any[]} citations
 * @returns {Node[]}
 */
export function sourceList(citations) {
  if (!citations.length) return [];
  const summary = `${citations.length} ${citations.length === 1 ? "source" : "sources"}`;
  const items = citations.map((citation) => element("li", {}, titleOf(citation), quoteOf(citation)));
  return [element("details", { class: "aside sources" }, element("summary", {}, summary), element("ol", {}, ...items))];
}

/** @param {any} citation */
function titleOf(citation) {
  const title = citation.title || citation.document_title || citation.source || citation.url || "Document";
  if (!/^https?:/i.test(citation.url ?? "")) return element("span", {}, `${title}${placeOf(citation)}`);
  return element("a", { href: citation.url, target: "_blank", rel: "noopener noreferrer nofollow" }, title);
}

/** @param {any} citation */
function placeOf({ start_page_number, end_page_number }) {
  if (!start_page_number) return "";
  const last = end_page_number - 1; // the end is exclusive
  return last > start_page_number ? `, pages ${start_page_number}–${last}` : `, page ${start_page_number}`;
}

/** @param {any} citation */
function quoteOf({ cited_text }) {
  return cited_text ? element("blockquote", {}, cited_text) : null;
}
