/** The list of conversations: search, filters, and actions on each. */

import { byId, element, iconButton } from "./elements.js";
import { snippetOf } from "./snippets.js";

/** @typedef {import("../client.js").Client} Client */
/** @typedef {Record<string, any>} Fields */

const AT_ONCE = 50; // conversations
const MOST = 200; // maximal page size of the server
const TYPING = 200; // milliseconds after the last key until the list is searched
const NAME = "Untitled";

/** What is said where a view of the list is empty. @type {Record<string, string>} */
const EMPTY = {
  own: "No conversations yet.", shared: "Nobody has shared a conversation with you.", archived: "The archive is empty.",
};

/** @type {Record<string, Fields>} what is asked for in each view of the list */
const VIEWS = { own: { archived: "false" }, shared: { shared: "true" }, archived: { archived: "true" } };

/**
 * @typedef {object} Handlers
 * @property {(id: string) => void} open
 * @property {(conversation: Fields, button: HTMLElement) => void} menu shows what can be done with a conversation
 * @property {(error: any) => void} onError
 */

/** The list at the side. */
export class Sidebar {
  /**
   * @param {Client} client
   * @param {Handlers} handlers
   */
  constructor(client, handlers) {
    this._client = client;
    this._handlers = handlers;
    this._list = byId("conversations");
    this._search = byId("search");
    this._view = "own";
    /** @type {string | null} */
    this._tag = null;
    /** @type {string | null} */
    this._next = null;
    /** @type {string | null} */
    this._current = null;
    this._wire();
  }

  /** Mark the conversation that is open. @param {string | null} id */
  mark(id) {
    this._current = id;
    for (const item of this._list.children) this._markItem(item);
  }

  /** Show the list from its beginning. */
  async load() {
    await this._read(AT_ONCE);
    this._list.parentElement.scrollTop = 0;
  }

  /** Reload the shown part of the list. */
  refresh() {
    return this._read(Math.min(Math.max(this._list.childElementCount, AT_ONCE), MOST));
  }

  /** @param {number} count */
  async _read(count) {
    this._leaving?.abort();
    const leaving = (this._leaving = new AbortController());
    const query = new URLSearchParams({ ...this._query, page_size: String(count) });
    try {
      const page = await this._client.get(`conversations/?${query}`, leaving.signal);
      this._replace(page.results.map((/** @type {Fields} */ each) => this._item(each)));
      this._next = page.next;
      byId("nothing-found").hidden = page.results.length > 0;
      byId("nothing-found").textContent = this._isFiltered ? "Nothing found." : EMPTY[this._view];
    } catch (error) {
      if (!leaving.signal.aborted) this._handlers.onError(error);
    }
  }

  /** Put other items into the list; the focus stays at the same conversation. @param {HTMLElement[]} items */
  _replace(items) {
    const { activeElement } = document;
    const { id } = /** @type {any} */ (activeElement?.closest("#conversations li"))?.dataset ?? {};
    const kind = activeElement?.matches("a") ? "a" : ".icon-button";
    this._list.replaceChildren(...items);
    if (id) this._list.querySelector(`[data-id="${CSS.escape(id)}"] ${kind}`)?.focus({ preventScroll: true });
  }

  /** Show only those with a tag; null for all. @param {string | null} tag */
  filter(tag) {
    this._tag = tag;
    const shown = tag ? [`Tag: ${tag}`, iconButton("close", "Show all tags", () => this.filter(null))] : [];
    byId("tag-filter").replaceChildren(...shown);
    this.load();
  }

  get _isFiltered() {
    return Boolean(this._search.value.trim() || this._tag);
  }

  get _query() {
    const words = this._search.value.trim();
    return { ...VIEWS[this._view], ...(words ? { q: words } : {}), ...(this._tag ? { tag: this._tag } : {}) };
  }

  _wire() {
    this._search.addEventListener("input", () => {
      clearTimeout(this._typing);
      this._typing = setTimeout(() => this.load(), TYPING);
    });
    for (const input of document.querySelectorAll("[name=view]")) {
      input.addEventListener("change", () => {
        this._view = /** @type {HTMLInputElement} */ (input).value;
        this.load();
      });
    }
    byId("sidebar").addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => this._key(event));
    this._list.parentElement.addEventListener("scroll", () => this._more(), { passive: true });
    this._list.addEventListener("click", (/** @type {MouseEvent} */ event) => this._clicked(event));
  }

  /**
   * Arrow keys go from the search to what it has found, and through it; Enter in the search opens the first.
   * @param {KeyboardEvent} event
   */
  _key(event) {
    const links = /** @type {HTMLElement[]} */ ([...this._list.querySelectorAll("a")]);
    const at = links.findIndex((link) => link === document.activeElement);
    const isSearch = event.target === this._search;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (isSearch && event.key === "Enter") links[0]?.click();
    if (!step || (at < 0 && !isSearch)) return;
    event.preventDefault();
    (links[at + step] ?? this._search).focus();
  }

  /** @param {MouseEvent} event */
  _clicked(event) {
    const link = /** @type {HTMLElement} */ (event.target).closest("a");
    const isPlain = !(event.metaKey || event.ctrlKey || event.shiftKey || event.button);
    if (!link || !isPlain) return;
    event.preventDefault();
    this._handlers.open(String(link.parentElement?.dataset.id));
  }

  async _more() {
    const { scrollTop, clientHeight, scrollHeight } = this._list.parentElement;
    if (!this._next || scrollHeight - scrollTop - clientHeight > 300) return;
    const next = this._next;
    this._next = null;
    try {
      const page = await this._client.get(next);
      this._list.append(...page.results.map((/** @type {Fields} */ each) => this._item(each)));
      this._next = page.next;
    } catch (error) {
      this._next = next;
      this._handlers.onError(error);
    }
  }

  /** @param {Fields} conversation */
  _item(conversation) {
    const { id, title, snippet, tags, role, owner } = conversation;
    const name = title || NAME;
    const link = element("a", { href: `/c/${id}/` }, element("span", { class: "name", dir: "auto", title: name }, name),
      role !== "owner" && element("span", { class: "snippet" }, `Shared by ${owner}`), snippet && snippetOf(snippet));
    const more = iconButton("more", `More about ${name}`, () => this._handlers.menu(conversation, more));
    const tagButtons = tags.map((/** @type {string} */ tag) =>
      element("button", { type: "button", class: "tag", onclick: () => this.filter(tag) }, tag));
    const item = element("li", { dataset: { id } }, link, more,
      tagButtons.length ? element("div", { class: "tags" }, ...tagButtons) : null);
    this._markItem(item);
    return item;
  }

  /** @param {any} item */
  _markItem(item) {
    if (item.dataset.id === this._current) item.querySelector("a").setAttribute("aria-current", "page");
    else item.querySelector("a").removeAttribute("aria-current");
  }
}
