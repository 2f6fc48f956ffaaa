/** The user's data: exported by a link, and imported from an archive, with progress. */

import { byId, element } from "./elements.js";
import { errorText } from "./notices.js";

/** @typedef {import("../client.js").Client} Client */
/**
 * @typedef {object} Import
 * @property {string} id
 * @property {string} status
 * @property {number} done entries that have been looked at
 * @property {number} total
 * @property {number} conversations
 * @property {number} messages
 * @property {number} skipped
 * @property {number} failed
 * @property {{entry: string, message: string}[]} problems
 * @property {string | null} finished_at
 */

const SENDING = "Sending the archive …";
const PAUSE = 500; // milliseconds between polls of an import
const SHOWN = 20; // problems

/** Let the dialog import archives. @param {Client} client @param {() => void} onImported */
export function wireData(client, onImported) {
  const dialog = byId("data");
  dialog.querySelector("[data-close]").onclick = () => dialog.close();
  byId("show-data").addEventListener("click", () => dialog.showModal());
  byId("data-file").addEventListener("change", async (/** @type {any} */ event) => {
    const [file] = event.target.files;
    if (!file) return;
    event.target.disabled = true;
    try {
      await importFile(client, file);
      onImported();
    } catch (error) {
      show(errorText(/** @type {any} */ (error)));
    }
    event.target.value = "";
    event.target.disabled = false;
  });
}

/** Send a file, and show how far its import is until it has ended. @param {Client} client @param {File} file */
async function importFile(client, file) {
  show(SENDING, 0);
  /** @type {Import} */
  let state = await client.upload(file, { path: "me/import/", onProgress: (share) => show(SENDING, share) });
  const path = `me/imports/${state.id}/`;
  byId("data-cancel").hidden = false;
  byId("data-cancel").onclick = () => client.http.request("POST", `${path}cancel/`, { repeatable: true });
  while (!state.finished_at) {
    show(state.total ? `${state.done} of ${state.total}` : "Reading the archive …", state.done / (state.total || 1));
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
    state = await client.get(path);
  }
  show(summary(state));
  byId("data-problems").replaceChildren(...state.problems.slice(0, SHOWN).map(({ entry, message }) =>
    element("li", {}, entry ? `${entry}: ${message}` : message)));
}

/** @param {Import} state */
function summary({ status, conversations, messages, skipped, failed }) {
  const ends = /** @type {Record<string, string>} */ ({ cancelled: "Stopped. ", failed: "It failed. " });
  const rest = [skipped && `${skipped} were here already`, failed && `${failed} could not be imported`];
  const told = [`${conversations} conversations with ${messages} messages imported`, ...rest.filter(Boolean)];
  return `${ends[status] ?? ""}${told.join("; ")}.`;
}

/** @param {string} text @param {number} [share] of the work that is done; without it there is none left */
function show(text, share) {
  byId("data-state").textContent = text;
  byId("data-progress").hidden = share === undefined;
  byId("data-progress").value = share ?? 0;
  byId("data-problems").replaceChildren();
  if (share === undefined) byId("data-cancel").hidden = true;
}
