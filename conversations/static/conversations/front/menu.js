/** A menu of actions under a button. */

import { byId, element } from "./elements.js";

/** @typedef {[string, () => void, "danger"?]} Entry a label, what it does, and whether that is for ever */

/**
 * Show a menu under a button. Arrow keys move in it, Escape and Tab close it.
 * @param {HTMLElement} button
 * @param {Entry[]} entries
 */
export function showMenu(button, entries) {
  const menu = byId("menu");
  const close = () => menu.hidePopover();
  menu.replaceChildren(...entries.map(([label, act, tone]) => {
    const onclick = () => {
      close();
      act();
    };
    return element("button", { type: "button", role: "menuitem", class: tone, onclick }, label);
  }));
  menu.onkeydown = (/** @type {KeyboardEvent} */ event) => move(menu, event);
  menu.ontoggle = (/** @type {any} */ event) => {
    button.setAttribute("aria-expanded", String(event.newState === "open"));
    const isLost = [document.body, menu].some((place) => place === document.activeElement);
    if (event.newState === "closed" && isLost) button.focus();
  };
  menu.showPopover();
  place(menu, button);
  menu.firstElementChild?.focus();
}

/** @param {HTMLElement} menu @param {HTMLElement} button */
function place(menu, button) {
  const { left, bottom, right } = button.getBoundingClientRect();
  const { width, height } = menu.getBoundingClientRect();
  menu.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8, right))}px`;
  menu.style.top = `${Math.min(bottom + 4, innerHeight - height - 8)}px`;
}

/** @param {HTMLElement} menu @param {KeyboardEvent} event */
function move(menu, event) {
  const entries = /** @type {HTMLElement[]} */ ([...menu.children]);
  const at = entries.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
  if (event.key === "Tab") menu.hidePopover();
  if (to === undefined) return;
  event.preventDefault();
  entries.at(to % entries.length)?.focus();
}
