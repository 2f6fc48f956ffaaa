/** Copying texts. */

import { announce, icon } from "./elements.js";

const SHOWN = 1500; // milliseconds for which a button says that it has copied

/**
 * Copy a text, and show at the button that it was.
 * @param {string} text
 * @param {HTMLElement} button
 */
export async function copyText(text, button) {
  const isCopied = await copied(text);
  announce(isCopied ? "Copied." : "The browser does not allow this page to copy.");
  button.replaceChildren(icon(isCopied ? "check" : "close"));
  setTimeout(() => button.replaceChildren(icon("copy")), SHOWN);
}

/**
 * Copy a text, also where the page has come without TLS: browsers have no clipboard for it there.
 * @param {string} text
 * @returns {Promise<boolean>} whether the browser has let the page do so
 */
export async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const take = (/** @type {ClipboardEvent} */ event) => {
      event.preventDefault();
      event.clipboardData?.setData("text/plain", text);
    };
    document.addEventListener("copy", take, { once: true });
    const isCopied = document.execCommand("copy");
    document.removeEventListener("copy", take);
    return isCopied;
  }
}
