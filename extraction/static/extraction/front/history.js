/** Earlier extractions and batches, in the list at the side. */

import { byId, element } from "../../conversations/front/elements.js";
import { timeOf } from "../../conversations/front/times.js";
import { stateOf } from "./words.js";

/** @typedef {import("../../conversations/client.js").Client} Client */

const AT_ONCE = 30;

/**
 * Fill the list, and let the user choose what it shows. The page's own extraction or batch is marked.
 * @param {Client} client
 * @param {(error: any) => void} onError
 * @returns {() => void} reads the list anew
 */
export function wireHistory(client, onError) {
  const inputs = /** @type {HTMLInputElement[]} */ ([...document.querySelectorAll("[name=view]")]);
  if (location.pathname.startsWith("/extract/batches/")) inputs[1].checked = true;
  const more = byId("more-history");
  /** @type {string | null} */
  let next = null;
  let asked = 0;
  const show = async (/** @type {boolean} */ fromStart) => {
    const isBatches = inputs[1].checked;
    const number = ++asked;
    const page = fromStart || !next ? await first(client, isBatches) : await client.get(next);
    if (number !== asked) return; // the user has chosen otherwise meanwhile
    const items = page.results.map(isBatches ? batchItem : extractionItem);
    if (fromStart) byId("history").replaceChildren(...items);
    else byId("history").append(...items);
    next = page.next;
    more.hidden = !next;
    byId("nothing-found").hidden = byId("history").children.length > 0;
  };
  for (const input of inputs) input.addEventListener("change", () => refresh());
  more.addEventListener("click", () => show(false).catch(onError));
  const refresh = () => void show(true).catch(onError);
  refresh();
  return refresh;
}

/** @param {Client} client @param {boolean} isBatches */
function first(client, isBatches) {
  if (isBatches) return client.batches.list({ page_size: AT_ONCE });
  return client.extractions.list({ page_size: AT_ONCE, in_batch: false });
}

/** @param {any} extraction */
function extractionItem({ id, status, metadata, schema_version, created_at }) {
  const title = typeof metadata.title === "string" && metadata.title ? metadata.title : schema_version.name;
  return item(`/extract/${id}/`, title ?? "Extraction", `${stateOf(status).word} · ${timeOf(created_at)}`);
}

/** @param {any} batch */
function batchItem({ id, schema, counts, created_at }) {
  const done = counts.total - counts.queued - counts.running;
  const title = schema.name ?? `${counts.total} documents`;
  return item(`/extract/batches/${id}/`, title, `${done} of ${counts.total} · ${timeOf(created_at)}`);
}

/** @param {string} href @param {string} title @param {string} about */
function item(href, title, about) {
  const current = href === location.pathname ? "page" : null;
  return element("li", {}, element("a", { href, "aria-current": current },
    element("span", { class: "name" }, title), element("span", { class: "snippet" }, about)));
}
