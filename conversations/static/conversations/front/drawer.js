/** The list at the side, which is a drawer where the window is too narrow for it to stay. */

import { byId } from "./elements.js";

const NARROW = matchMedia("(max-width: 760px)"); // as in chat.css

/** Let the drawer be opened by its button; closed by Escape, a click beside it, and a window that gets wider. */
export function wireDrawer() {
  byId("open-sidebar").addEventListener("click", openDrawer);
  byId("scrim").addEventListener("click", closeDrawer);
  NARROW.addEventListener("change", closeDrawer);
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !document.querySelector("dialog[open], :popover-open")) closeDrawer();
  });
}

/** Open the drawer, if it is one now, and put the focus into it. */
export function openDrawer() {
  if (!NARROW.matches) return;
  setOpen(true);
  byId("sidebar").focus();
}

/** Close the drawer, if it is open; the focus goes back to its button if nothing else has taken it. */
export function closeDrawer() {
  if (!document.body.classList.contains("open-sidebar")) return;
  const hadFocus = byId("sidebar").contains(document.activeElement);
  setOpen(false);
  if (hadFocus) byId("open-sidebar").focus();
}

/** @param {boolean} isOpen */
function setOpen(isOpen) {
  document.body.classList.toggle("open-sidebar", isOpen);
  byId("open-sidebar").setAttribute("aria-expanded", String(isOpen));
  /** @type {HTMLElement} */ (document.querySelector("main")).inert = isOpen;
}
