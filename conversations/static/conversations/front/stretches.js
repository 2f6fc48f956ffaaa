/** The elements that a thread's messages are in: chunks within stretches, of which most are left out of the layout. */

import { element } from "./elements.js";
import { nextFrame } from "./slices.js";

export const CHUNK = 4; // messages that are laid out, or left out, together
const STRETCH = 16; // chunks that are left out together

/**
 * Holds a list of messages so that what a frame costs hardly grows with their number.
 *
 * The browser leaves out a chunk that is far from what is seen (`content-visibility: auto`, messages.css), but goes
 * through all chunks in every frame, to find those that are near. Within a stretch that is left out it does not: of
 * 5,000 messages it goes through some 80 stretches and the chunks of one or two.
 */
export class Stretches {
  /** @param {HTMLElement} list */
  constructor(list) {
    this._list = list;
    this._sizes = new ResizeObserver((entries) => entries.forEach(({ target }) => this._measured(target)));
  }

  /** Remove everything. */
  clear() {
    this._sizes.disconnect();
    this._list.replaceChildren();
  }

  /** Put messages before all others, as one chunk. @param {HTMLElement[]} messages at most CHUNK */
  prepend(messages) {
    const stretch = roomIn(this._list.firstElementChild, (made) => this._list.prepend(made));
    stretch.prepend(this._chunk(messages));
  }

  /** Put a message after all others. @param {HTMLElement} message */
  append(message) {
    const last = this._list.lastElementChild?.lastElementChild;
    if (last && last.childElementCount < CHUNK) last.append(message);
    else roomIn(this._list.lastElementChild, (stretch) => this._list.append(stretch)).append(this._chunk([message]));
  }

  /** Take a message out, and what is empty without it. @param {HTMLElement} message */
  remove(message) {
    for (let each = /** @type {Element} */ (message), parent; each !== this._list; each = parent) {
      parent = /** @type {Element} */ (each.parentElement);
      if (each !== message && each.childElementCount) return;
      each.remove();
    }
  }

  /**
   * Return messages in an element of their own, which is laid out once wherever it is: the browser then knows its size
   * when it leaves it out, and nothing moves when it comes near.
   * @param {HTMLElement[]} messages
   */
  _chunk(messages) {
    const chunk = element("div", { class: "chunk unmeasured" }, ...messages);
    this._sizes.observe(chunk);
    return chunk;
  }

  /** Let the browser leave out a chunk from the next frame on: it notes the size in this one. @param {Element} chunk */
  async _measured(chunk) {
    this._sizes.unobserve(chunk);
    await nextFrame();
    chunk.classList.remove("unmeasured");
  }
}

/**
 * Return a stretch if it has room for another chunk, else a new one.
 * @param {Element | null} stretch
 * @param {(made: HTMLElement) => void} add adds the new one
 * @returns {Element}
 */
function roomIn(stretch, add) {
  if (stretch && stretch.childElementCount < STRETCH) return stretch;
  const made = element("div", { class: "stretch" });
  add(made);
  return made;
}
