/** Keys that work everywhere on the page. */

import { openDrawer } from "./drawer.js";
import { byId } from "./elements.js";

/** @typedef {{newConversation: () => void, focusQuestion: () => void, stop: () => void}} Actions */

/** @param {Actions} actions */
export function wireKeyboard({ newConversation, focusQuestion, stop }) {
  const help = byId("keys");
  help.querySelector("[data-close]").addEventListener("click", () => help.close());
  byId("show-keys").addEventListener("click", () => help.showModal());
  addEventListener("keydown", (event) => {
    const isTyping = /** @type {HTMLElement} */ (event.target).matches?.("input, textarea, select");
    const command = event.ctrlKey || event.metaKey;
    if (command && event.key === "k") act(event, search);
    else if (command && event.shiftKey && event.key.toLowerCase() === "o") act(event, newConversation);
    else if (isTyping || command || event.altKey) return;
    else if (event.key === "/") act(event, focusQuestion);
    else if (event.key === "?") act(event, () => help.showModal());
    else if (event.key === "Escape" && !document.querySelector("dialog[open], :popover-open, .open-sidebar")) stop();
  });
}

/** @param {KeyboardEvent} event @param {() => void} action */
function act(event, action) {
  event.preventDefault();
  action();
}

function search() {
  openDrawer();
  byId("search").focus();
}
