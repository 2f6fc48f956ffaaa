/** The snippets of search results. */

import { element } from "./elements.js";

/**
 * Return the server's snippet, which is HTML with `<mark>` as its only tag, as elements.
 * @param {string} html
 */
export function snippetOf(html) {
  const parsed = new DOMParser().parseFromString(html, "text/html").body;
  const parts = [...parsed.childNodes].map((node) =>
    node.nodeName === "MARK" ? element("mark", {}, node.textContent) : (node.textContent ?? ""));
  return element("span", { class: "snippet" }, ...parts);
}
