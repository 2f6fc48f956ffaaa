/** Asking before something is deleted for good. */

import { byId } from "./elements.js";

/**
 * Ask whether something is to be deleted.
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
