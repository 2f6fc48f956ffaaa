/** The messages of a conversation on the page, and loading older ones. */

import { element } from "./elements.js";
import { nextFrame } from "./slices.js";
import { CHUNK, Stretches } from "./stretches.js";

/** @typedef {import("./items.js").Item} Item */

const NEAR_END = 120; // pixels from the end within which a reader who scrolls down follows what comes
const AT_END = 1; // pixel: positions are rounded
const AHEAD = "600%"; // of the height of what is seen: how far above it older messages are loaded

/** The list of messages, and the reader's scroll position in it. */
export class Thread {
  /**
   * @param {HTMLElement} list
   * @param {HTMLElement} scroller
   * @param {{onOlder: () => Promise<void>, onItem: (item: Item) => void}} handlers
   */
  constructor(list, scroller, { onOlder, onItem }) {
    this.list = list;
    this.scroller = scroller;
    this._stretches = new Stretches(list);
    this._onItem = onItem;
    /** @type {Item[]} */
    this.items = [];
    this._follows = true;
    this._top = 0; // how far it was scrolled when the reader was last looked at
    this._filling = {}; // another one for each time that other items are shown
    this._older = element("div", { class: "older", role: "status" });
    this._sight = this._watchOlder(onOlder);
    list.before(this._older);
    scroller.addEventListener("scroll", () => this._noteReader(), { passive: true });
    new ResizeObserver(() => this.follow()).observe(scroller); // by a keyboard, or a question of many lines
  }

  /** Show other items, the newest first. @param {Item[]} items @param {boolean} hasOlder @returns {Promise<void>} */
  async replace(items, hasOlder) {
    this._filling = {};
    this.items = [];
    this._older.hidden = true;
    this._stretches.clear();
    this._setFollowing(true);
    await this.prepend(items, hasOlder);
    this._look();
  }

  /**
   * Put older items before all others, a chunk in each frame; the reader stays where they are.
   * @param {Item[]} items
   * @param {boolean} hasOlder
   */
  async prepend(items, hasOlder) {
    const filling = this._filling;
    for (let end = items.length; end > 0; end -= CHUNK) {
      if (this.items.length) await nextFrame();
      if (this._filling !== filling) return;
      this._putFirst(items.slice(Math.max(end - CHUNK, 0), end));
    }
    this._older.hidden = !hasOlder;
  }

  /** Add an item at the end; whoever reads elsewhere stays there. @param {Item} item @returns {Item} */
  append(item) {
    this.items.push(item);
    this._stretches.append(item.view.element);
    this._onItem(item);
    this.follow();
    return item;
  }

  /** Remove an item and all after it. @param {Item | undefined} item */
  cutFrom(item) {
    const index = item ? this.items.indexOf(item) : -1;
    if (index < 0) return;
    for (const { view } of this.items.splice(index)) this._stretches.remove(view.element);
  }

  /** Remove items, wherever they are. @param {Item[]} items */
  remove(items) {
    this.items = this.items.filter((item) => !items.includes(item));
    for (const { view } of items) this._stretches.remove(view.element);
  }

  /** @param {string} id of a message */
  find(id) {
    return this.items.find((item) => item.messages.some((message) => message.id === id));
  }

  /** The id of the last stored message; null if there is none. */
  get leaf() {
    return this.items.flatMap((item) => item.messages).findLast((message) => message.id)?.id ?? null;
  }

  /** Scroll to new content, if the reader was at the end. */
  follow() {
    if (this._follows) this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  /** Scroll to the end, and to new content from then on. */
  toEnd() {
    this._setFollowing(true);
    this.follow();
  }

  /** @param {Item[]} items */
  _putFirst(items) {
    const keepPlace = this._follows ? () => this.follow() : this._placeKeeper();
    this.items.unshift(...items);
    this._stretches.prepend(items.map(({ view }) => view.element));
    items.forEach(this._onItem);
    keepPlace();
  }

  /**
   * Return what puts the reader back where they are now, once something was put before all that is there.
   *
   * The browser does so by itself (scroll anchoring), except less than a pixel from the top: the reader is moved one
   * pixel away from there. What a script scrolls back counts as a layout shift in Chromium if the reader has scrolled
   * in the same frame, so that is left to browsers without scroll anchoring (Safari).
   * @returns {() => void}
   */
  _placeKeeper() {
    const first = this.list.firstElementChild?.firstElementChild;
    if (this.scroller.scrollTop < 1) this.scroller.scrollTop = 1;
    if (!first || CSS.supports("overflow-anchor", "auto")) return () => {};
    const top = first.getBoundingClientRect().top;
    return () => (this.scroller.scrollTop += first.getBoundingClientRect().top - top);
  }

  /** Let a reader go who scrolls up, however little, and follow again with one who comes back to the end. */
  _noteReader() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    const left = scrollHeight - scrollTop - clientHeight;
    if (scrollTop < this._top) this._setFollowing(left <= AT_END);
    else if (left < NEAR_END) this._setFollowing(true);
    this._top = scrollTop;
  }

  /** @param {boolean} follows */
  _setFollowing(follows) {
    this._follows = follows;
    this.scroller.classList.toggle("away", !follows);
  }

  /** Check again whether older messages have to be loaded. */
  _look() {
    this._sight.unobserve(this._older);
    this._sight.observe(this._older);
  }

  /** @param {() => Promise<void>} onOlder */
  _watchOlder(onOlder) {
    let loading = false;
    return new IntersectionObserver(async (entries) => {
      if (!entries.at(-1)?.isIntersecting || loading || this._older.hidden) return;
      loading = true;
      this._older.textContent = "Loading earlier messages…";
      await onOlder().catch(() => {});
      this._older.textContent = "";
      loading = false;
      this._look();
    }, { root: this.scroller, rootMargin: `${AHEAD} 0px 0px 0px` });
  }
}
