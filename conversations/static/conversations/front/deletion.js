/** Confirming permanent deletions. */

import { byId } from "./elements.js";

/**
 * Ask the user to confirm a deletion.
 * @param {{question: string, consequence: string}} texts
 * @param {() => void} onConfirmed
 */
export function confirmDeletion({ question, consequence }, onConfirmed) {
  const dialog = byId("delete");
  dialog.querySelector("h2").textContent = question;
  dialog.querySelector("p").textContent = consequence;
  dialog.querySelector("form").onsubmit = onConfirmed;
  dialog.querySelector("[data-close]").onclick = () => dialog.close();
  dialog.showModal();
}
