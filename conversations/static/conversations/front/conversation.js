/** One conversation on the page: its messages, its running answers, and the user's actions. */

import { Answers } from "./answers.js";
import { isQuestion, itemsOf, question } from "./items.js";
import { Siblings } from "./siblings.js";
import { noteUnsent } from "./unsent.js";

/** @typedef {import("../client.js").Client} Client */
/** @typedef {import("./thread.js").Thread} Thread */
/** @typedef {import("./items.js").Item} Item */
/** @typedef {Record<string, any>} Fields */
/** @typedef {"queue" | "interrupt"} OnActive what becomes of a question while another one is answered */

/**
 * @typedef {object} Surroundings What the rest of the page does about a conversation.
 * @property {(conversation: Conversation) => void} onChange something about it is different now
 * @property {(conversation: Conversation) => void} onCreated it has its id
 * @property {(conversation: Conversation) => void} onUpdated it has another title, tags or settings, or an answer more
 * @property {(error: any) => void} onError something was asked for that could not be done
 * @property {(content: any[]) => void} putBack a question was not taken, or taken back: it is to be edited
 */

const PAGE = "30"; // messages
const TITLE = 60; // characters of the first question that become the title

/** A conversation, stored or not yet begun. */
export class Conversation {
  /**
   * @param {Client} client
   * @param {Thread} thread
   * @param {Surroundings} page
   * @param {Fields} settings with which it is created, if it is new
   */
  constructor(client, thread, page, settings = {}) {
    this.client = client;
    this.thread = thread;
    this.page = page;
    /** @type {string | null} */
    this.id = null;
    /** As the API shows it. @type {Fields} */
    this.data = settings;
    /** @type {string | null} where older messages are */
    this._older = null;
    /** Messages of an answer that begins among older ones: they are shown with them. @type {Fields[]} */
    this._rest = [];
    this._left = new AbortController();
    /** When the question before may be asked. @type {Promise<void>} */
    this._asking = Promise.resolve();
    this.answers = new Answers(this);
    this.siblings = new Siblings(this);
  }

  /** Aborted when the user opens another conversation. */
  get signal() {
    return this._left.signal;
  }

  /** Whether the user may change its title, tags and settings. */
  get isOwn() {
    return (this.data.role ?? "owner") === "owner";
  }

  /** Show a conversation that is stored. @param {string} id */
  async open(id) {
    this.id = id;
    const [data] = await Promise.all([this.client.conversation(id), this.reload()]);
    this.data = data;
    this.page.onChange(this);
    this._watch();
  }

  /** Stop showing the conversation. Running answers continue on the server. */
  leave() {
    this._left.abort(new DOMException("Another conversation was opened.", "AbortError"));
    this.answers.leave();
  }

  /** Show the path to a leaf, or to the active one. @param {string} [leaf] */
  async reload(leaf) {
    const query = { last: "true", page_size: PAGE, ...(leaf ? { leaf } : {}) };
    const page = await this.client.messages(/** @type {string} */ (this.id), query);
    const { whole, rest } = fromFirstQuestion(page);
    const items = await itemsOf(whole);
    if (this.signal.aborted) return;
    this._older = page.previous;
    this._rest = rest;
    this.answers.forgetShown();
    await this.thread.replace(items, Boolean(page.previous));
    await this.answers.tellOfUnanswered();
  }

  /** Show the messages before the shown ones. */
  async loadOlder() {
    const path = this._older;
    if (!path) return;
    const page = await this.client.get(path, this.signal);
    const { whole, rest } = fromFirstQuestion({ ...page, results: [...page.results, ...this._rest] });
    const items = await itemsOf(whole);
    if (this.signal.aborted || this._older !== path) return; // something else is shown by now
    this._older = page.previous;
    this._rest = rest;
    await this.thread.prepend(items, Boolean(page.previous));
  }

  /** Reload its title, settings and cost. */
  async refresh() {
    if (!this.id || this.signal.aborted) return;
    this.data = await this.client.conversation(this.id);
    this.page.onChange(this);
  }

  /** Change its title, tags or settings. @param {Fields} fields */
  async update(fields) {
    this.data = { ...this.data, ...fields };
    this.page.onChange(this);
    if (!this.id) return;
    this.data = { ...this.data, ...(await this.client.updateConversation(this.id, fields)) };
    this.page.onChange(this);
    this.page.onUpdated(this);
  }

  /**
   * Ask a question, after the running answer or in its place.
   * @param {any[]} content
   * @param {OnActive} [onActive]
   */
  async ask(content, onActive = "queue") {
    const asked = this._show(content, this.thread.leaf);
    asked.forget = noteUnsent(this.id, content);
    const before = this._asking;
    let sent = () => {};
    this._asking = new Promise((resolve) => (sent = resolve));
    try {
      await before;
      await this._created(content);
      asked.forget();
      asked.forget = noteUnsent(this.id, content); // which has an id by now
    } catch (error) {
      asked.forget();
      sent();
      throw error;
    }
    const ask = () => this.client.ask(/** @type {string} */ (this.id), { content, on_active: onActive });
    return this.answers.show(ask, asked, sent);
  }

  /** Ask something else in the place of a question. @param {Item} item @param {any[]} content */
  async edit(item, content) {
    const { parent } = item.messages[0];
    this.thread.cutFrom(item);
    const asked = this._show(content, parent);
    const options = { on_active: "queue" };
    const ask = () => this.client.edit(/** @type {string} */ (this.id), { parent }, content, options);
    await this.answers.show(ask, asked);
    await this.siblings.refresh();
  }

  /** Have something answered anew. @param {Item} item an answer, or a question without one */
  async regenerate(item) {
    const { id } = item.messages[0];
    if (item.kind === "answer") this.thread.cutFrom(item);
    const options = { on_active: "queue" };
    await this.answers.show(() => this.client.regenerate(/** @type {string} */ (this.id), id, options));
    await this.siblings.refresh();
  }

  /** Go on with an answer that was cut. @param {string} turn */
  continue(turn) {
    return this.answers.show(() => this.client.continue(turn));
  }

  /** Stop the running answer. */
  stop() {
    return this.answers.stop();
  }

  /** Show a question before the server knows of it. @param {any[]} content @param {string | null} parent */
  _show(content, parent) {
    const asked = this.thread.append(question({ id: null, parent, role: "user", content, siblings: 1 }));
    this.thread.toEnd();
    return asked;
  }

  /** Create it on the server, with its first words as its title. @param {any[]} content */
  async _created(content) {
    if (this.id) return;
    const text = content.find((block) => block.type === "text")?.text ?? "Images and files";
    const title = text.replace(/\s+/g, " ").trim().slice(0, TITLE);
    this.data = await this.client.createConversation({ ...this.data, title });
    this.id = this.data.id;
    this.page.onCreated(this);
    this._watch();
  }

  /** Show questions from elsewhere: from other windows, devices and users. */
  async _watch() {
    try {
      for await (const turn of this.client.watch(/** @type {string} */ (this.id), this.signal)) {
        this.answers.join(turn).catch((error) => this._failed(error));
      }
    } catch (error) {
      this._failed(error);
    }
  }

  /** @param {any} error */
  _failed(error) {
    if (!this.signal.aborted) this.page.onError(error);
  }
}

/**
 * Divide a page of messages at its first question: the messages before it belong to an answer on the page before.
 * @param {{results: Fields[], previous: string | null}} page
 */
function fromFirstQuestion({ results, previous }) {
  const first = results.findIndex(isQuestion);
  const start = previous ? (first < 0 ? results.length : first) : 0;
  return { whole: results.slice(start), rest: results.slice(0, start) };
}
