/**
 * A client of Colloquy for browsers and Node, without dependencies.
 *
 *     const client = new Client({ url: "https://chat.example.com", token });
 *     const conversation = await client.createConversation({ title: "Tea" });
 *     for await (const event of client.ask(conversation.id, "Why is tea green?")) console.log(event);
 *
 * On the platform's own pages, where the user has a session, `new Client()` is enough. docs/client.md has examples.
 */

import { Answer } from "./client/answer.js";
import { ApiError, ConnectionLost } from "./client/errors.js";
import { Batches, Extractions, Schemas } from "./client/extractions.js";
import { Folding } from "./client/folding.js";
import { TURNS, follow } from "./client/following.js";
import { Http, newKey } from "./client/http.js";
import { Socket } from "./client/socket.js";
import { upload } from "./client/uploads.js";
import { isActive, watchConversation } from "./client/watching.js";

export { Answer, ApiError, ConnectionLost, Folding, isActive };

/** @typedef {import("./client/transcript.js").TurnEvent} TurnEvent */
/** @typedef {import("./client/http.js").Access} Access */
/** @typedef {import("./client/following.js").Transport} Transport */
/** @typedef {Record<string, any>} Fields */

/**
 * @typedef {object} ClientOptions
 * @property {string} [url] the server's URL; by default the page's origin
 * @property {Transport} [transport] the transport of events; "auto": the WebSocket, or SSE if none can be opened
 * @property {number} [silence] milliseconds without a byte after which a connection counts as broken
 */

/**
 * @typedef {object} AskOptions
 * @property {AbortSignal} [signal] stops following the answer; the turn itself continues
 * @property {string} [key] the idempotency key; by default one that is generated for this call
 */

/**
 * @typedef {object} Page A part of a list.
 * @property {any[]} results
 * @property {string | null} next
 * @property {string | null} previous
 */

const SILENCE = 35_000; // the server sends something at least every 15 seconds

/** A user's client of a server. Fires the event `connection` when the property `connection` changes. */
export class Client extends EventTarget {
  /** @param {ClientOptions & Access} [options] */
  constructor({ url = globalThis.location?.origin ?? "", transport = "auto", silence = SILENCE, ...access } = {}) {
    super();
    /** Whether the server can be reached, and lets this user in. @type {"online" | "offline" | "refused"} */
    this.connection = "online";
    this.http = new Http(url, access, (reached) => this._reached(reached));
    this.socket = new Socket(this.http, { silence });
    this._ways = { http: this.http, socket: this.socket, transport, silence };
    /** Extractions of data from documents, by a schema. */
    this.extractions = new Extractions(this._ways);
    this.batches = new Batches(this.http);
    this.schemas = new Schemas(this.http);
  }

  // --- Access --------------------------------------------------------------------------------------------------------

  /**
   * Log in by name and password; from then on this client has a token.
   * @param {string} username
   * @param {string} password
   */
  async login(username, password) {
    const answer = await this.http.request("POST", "auth/login/", { body: { username, password } });
    this.http.access.token = answer.token;
    return answer;
  }

  /** Revoke this client's token. */
  async logout() {
    await this.http.request("POST", "auth/logout/");
    this.close();
  }

  /** Return the user, their budget and their limits. @returns {Promise<any>} */
  me() {
    return this.get("me/");
  }

  /** Close the WebSocket. Turns continue. */
  close() {
    this.socket.close();
  }

  // --- Conversations -------------------------------------------------------------------------------------------------

  /**
   * Return a page of conversations.
   * @param {Fields} [query] such as `{q: "tea", archived: false}`
   * @returns {Promise<Page>}
   */
  conversations(query = {}) {
    return this.get(`conversations/?${new URLSearchParams(query)}`);
  }

  /** @param {string} id @returns {Promise<any>} */
  conversation(id) {
    return this.get(`conversations/${id}/`);
  }

  /** @param {Fields} [fields] title, tags, settings @returns {Promise<any>} */
  createConversation(fields = {}) {
    return this.http.request("POST", "conversations/", { body: fields });
  }

  /** @param {string} id @param {Fields} fields @returns {Promise<any>} */
  updateConversation(id, fields) {
    return this.http.request("PATCH", `conversations/${id}/`, { body: fields });
  }

  /** @param {string} id @returns {Promise<void>} */
  deleteConversation(id) {
    return this.http.request("DELETE", `conversations/${id}/`);
  }

  /**
   * Return a page of the messages from the root to a leaf, oldest first.
   * @param {string} id
   * @param {Fields} [query]
   * @returns {Promise<Page>}
   */
  messages(id, query = {}) {
    return this.get(`conversations/${id}/messages/?${new URLSearchParams(query)}`);
  }

  /**
   * Make a message the one from which the next turn continues.
   * @param {string} id
   * @param {string} leaf
   * @returns {Promise<any>}
   */
  activate(id, leaf) {
    return this.http.request("POST", `conversations/${id}/activate/`, { body: { leaf }, repeatable: true });
  }

  /** Yield the ids of a conversation's turns as they begin. @param {string} id @param {AbortSignal} [signal] */
  watch(id, signal = new AbortController().signal) {
    return watchConversation(this._ways, id, signal);
  }

  // --- Turns ---------------------------------------------------------------------------------------------------------

  /**
   * Ask, and return the streamed answer. A request whose response was lost is retried, and creates only one turn.
   * @param {string} conversation
   * @param {string | any[] | Fields} question content, or the fields of a turn: content, parent, settings
   * @param {AskOptions} [options]
   */
  ask(conversation, question, options = {}) {
    const body = typeof question === "string" || Array.isArray(question) ? { content: question } : question;
    return this._begin(`conversations/${conversation}/turns/`, body, options);
  }

  /**
   * Edit a question: ask something else in its place.
   * @param {string} conversation
   * @param {{parent: string | null}} message
   * @param {string | any[]} content
   * @param {AskOptions & Fields} [options]
   */
  edit(conversation, message, content, { signal, key, ...settings } = {}) {
    return this.ask(conversation, { content, parent: message.parent, ...settings }, { signal, key });
  }

  /**
   * Regenerate an answer, given the answer or its question.
   * @param {string} conversation
   * @param {string} message
   * @param {AskOptions & Fields} [options]
   */
  regenerate(conversation, message, { signal, key, ...settings } = {}) {
    return this.ask(conversation, { regenerate: message, ...settings }, { signal, key });
  }

  /**
   * Continue an answer that was cut off, stopped or interrupted.
   * @param {string} turn
   * @param {AskOptions & Fields} [options]
   */
  continue(turn, { signal, key, ...settings } = {}) {
    return this._begin(`turns/${turn}/continue/`, settings, { signal, key });
  }

  /** Follow an existing turn from its beginning. @param {string} turn @param {AskOptions} [options] */
  resume(turn, { signal } = {}) {
    return this._answer(async () => ({ id: turn }), signal);
  }

  /**
   * Yield a turn's events after a position.
   * @param {string} turn
   * @param {number} [after]
   * @param {AbortSignal} [signal]
   * @returns {AsyncGenerator<TurnEvent>}
   */
  follow(turn, after = 0, signal = new AbortController().signal) {
    return follow(this._ways, TURNS, turn, after, signal);
  }

  /** @param {string} id @returns {Promise<any>} */
  turn(id) {
    return this.get(`turns/${id}/`);
  }

  /**
   * Return a page of a conversation's turns, newest first.
   * @param {string} conversation
   * @param {Fields} [query]
   * @returns {Promise<Page>}
   */
  turns(conversation, query = {}) {
    return this.get(`conversations/${conversation}/turns/?${new URLSearchParams(query)}`);
  }

  /** Stop a turn, and keep the partial answer. @param {string} id @returns {Promise<any>} */
  stop(id) {
    return this.http.request("POST", `turns/${id}/cancel/`, { repeatable: true, patience: Infinity });
  }

  /**
   * Submit the results of the client's tools.
   * @param {string} turn
   * @param {{tool_use_id: string, content: any, is_error?: boolean}[]} results
   * @returns {Promise<any>}
   */
  toolResults(turn, results) {
    const options = { body: { results }, repeatable: true, patience: Infinity };
    return this.http.request("POST", `turns/${turn}/tool-results/`, options);
  }

  // --- Everything else -----------------------------------------------------------------------------------------------

  /**
   * Upload a file and return its attachment.
   * @param {File} file
   * @param {import("./client/uploads.js").UploadOptions} [options]
   */
  upload(file, options) {
    return upload(this.http, file, options);
  }

  /**
   * Rate a message.
   * @param {string} message
   * @param {1 | -1 | null} rating
   * @param {string} [comment]
   * @returns {Promise<any>}
   */
  rate(message, rating, comment = "") {
    return this.http.request("PUT", `messages/${message}/feedback/`, { body: { rating, comment } });
  }

  /**
   * Send a GET request for a path of the API, or a page's `next`; return the JSON.
   * @param {string} path
   * @param {AbortSignal} [signal]
   * @returns {Promise<any>}
   */
  get(path, signal) {
    return this.http.request("GET", path, { signal });
  }

  /** Yield all rows of a list, page after page. @param {string} path @returns {AsyncGenerator<any>} */
  async *all(path) {
    for (let page = await this.get(path); ; page = await this.get(page.next)) {
      yield* page.results;
      if (!page.next) return;
    }
  }

  /** @param {string} path @param {Fields} body @param {AskOptions} options */
  _begin(path, body, { signal, key = newKey() }) {
    const options = { body, signal, headers: { "Idempotency-Key": key }, repeatable: true, patience: Infinity };
    return this._answer(() => this.http.request("POST", path, options), signal);
  }

  /** @param {() => Promise<any>} begin @param {AbortSignal} [signal] */
  _answer(begin, signal) {
    const follow = (/** @type {string} */ turn, /** @type {number} */ after, /** @type {AbortSignal} */ leaving) =>
      this.follow(turn, after, leaving);
    return new Answer({ begin, follow, cancel: (turn) => this.stop(turn) }, signal);
  }

  /** @param {"online" | "offline" | "refused"} reached */
  _reached(reached) {
    if (this.connection === reached) return;
    this.connection = reached;
    this.dispatchEvent(new Event("connection"));
  }
}
