/** Requests to the API, with a token or the page's session; they are retried if that is safe and may help. */

import { ApiError, ConnectionLost, responseError } from "./errors.js";
import { exactJson } from "./exact_json.js";
import { Backoff } from "./pauses.js";

/**
 * @typedef {object} Access How the server knows who asks.
 * @property {string} [token] sent as `Authorization: Bearer`; without one, the browser sends its session's cookie
 * @property {() => string} [csrf] returns the session's CSRF token; by default the cookie `csrftoken`
 * @property {boolean} [exactNumbers] whether integers that JavaScript would round become BigInts; by default not
 */

/**
 * @typedef {object} RequestOptions
 * @property {any} [body] sent as JSON, or unchanged if it is a FormData
 * @property {Record<string, string>} [headers]
 * @property {AbortSignal} [signal]
 * @property {boolean} [repeatable] whether it may be retried after its response was lost; by default all but POST
 * @property {number} [patience] milliseconds in which it is retried; by default 30 seconds
 */

const PATIENCE = 30_000;
const ANSWER_WITHIN = 60_000; // milliseconds until a request counts as lost

/** A user's access to a server. */
export class Http {
  /**
   * @param {string} base the server's URL
   * @param {Access} access
   * @param {(reached: "online" | "offline" | "refused") => void} onReached called after each attempt
   */
  constructor(base, access, onReached) {
    this.base = base.replace(/\/+$/, "");
    this.access = access;
    /** What reads and writes JSON. @type {{parse: (text: string) => any, stringify: (value: any) => string}} */
    this.json = access.exactNumbers ? exactJson : JSON;
    this._onReached = onReached;
  }

  /**
   * Send a request and return the response's JSON; null if it has none.
   * Throws ApiError for an error response, ConnectionLost if the server can't be reached.
   * @param {string} method
   * @param {string} path such as "me/", or an address of the server's own
   * @param {RequestOptions} [options]
   * @returns {Promise<any>}
   */
  request(method, path, options = {}) {
    return this.persist(method, () => this._once(method, path, options), options);
  }

  /**
   * Call a function that sends a request, and retry it if that is safe and may help.
   * @template T
   * @param {string} method
   * @param {() => Promise<T>} attempt
   * @param {RequestOptions} [options]
   * @returns {Promise<T>}
   */
  async persist(method, attempt, options = {}) {
    const repeatable = options.repeatable ?? method !== "POST";
    const until = Date.now() + (options.patience ?? PATIENCE);
    const backoff = new Backoff();
    for (;;) {
      try {
        return await attempt();
      } catch (error) {
        if (backoff.failures && isGone(method, error)) return /** @type {any} */ (null);
        if (Date.now() > until || !mayRepeat(error, repeatable)) throw error;
        await backoff.wait(options.signal, error instanceof ApiError ? error.retryAfter : 0);
      }
    }
  }

  /**
   * Send a request once and return the response, with its body unread.
   * @param {string} method
   * @param {string} path
   * @param {RequestOptions} [options]
   * @returns {Promise<Response>}
   */
  async send(method, path, { body, headers, signal } = {}) {
    const form = typeof FormData !== "undefined" && body instanceof FormData;
    const json = body !== undefined && !form;
    const all = { ...(json ? { "Content-Type": "application/json" } : {}), ...this.headers(method), ...headers };
    const response = await this._fetch(this.url(path), {
      method, signal, headers: all, body: json ? this.json.stringify(body) : body, credentials: this.credentials,
    });
    // Browsers parse a truncated status line as a status.
    if (response.status < 200) throw this._lost(`status ${response.status}`);
    if (!response.ok) throw this._refused(responseError(response, await this._text(response)));
    this._onReached("online");
    return response;
  }

  /** @param {string} path @returns {string} */
  url(path) {
    if (!/^https?:/.test(path)) return `${this.base}/api/${path}`;
    const { pathname, search } = new URL(path); // behind a proxy, the URL may differ from the one that we use
    return this.base + pathname + search;
  }

  /** @returns {RequestCredentials} */
  get credentials() {
    return this.access.token ? "omit" : "include";
  }

  /** @param {string} method @returns {Record<string, string>} */
  headers(method) {
    if (this.access.token) return { Authorization: `Bearer ${this.access.token}` };
    return method === "GET" ? {} : { "X-CSRFToken": (this.access.csrf ?? csrfCookie)() };
  }

  /** @param {string} method @param {string} path @param {RequestOptions} options */
  async _once(method, path, options) {
    const limit = AbortSignal.timeout(ANSWER_WITHIN);
    const signal = options.signal ? AbortSignal.any([options.signal, limit]) : limit;
    const response = await this.send(method, path, { ...options, signal });
    if (response.status === 204) return null;
    const text = await this._text(response);
    try {
      return this.json.parse(text);
    } catch (error) {
      throw new ConnectionLost("The answer was cut.", error);
    }
  }

  /** @param {string} url @param {RequestInit} init */
  async _fetch(url, init) {
    try {
      return await fetch(url, init);
    } catch (error) {
      throw this._lost(error, init.signal);
    }
  }

  /** @param {Response} response */
  async _text(response) {
    try {
      return await response.text();
    } catch (error) {
      throw this._lost(error);
    }
  }

  /** @param {unknown} error @param {AbortSignal | null} [signal] */
  _lost(error, signal) {
    if (signal?.aborted && signal.reason?.name !== "TimeoutError") return signal.reason;
    this._onReached("offline");
    return new ConnectionLost("The server can't be reached.", error);
  }

  /** @param {ApiError} error */
  _refused(error) {
    this._onReached(error.needsLogin ? "refused" : "online");
    return error;
  }
}

/** @param {unknown} error @param {boolean} repeatable */
function mayRepeat(error, repeatable) {
  if (error instanceof ConnectionLost) return repeatable;
  if (!(error instanceof ApiError) || !error.isTemporary) return false;
  return repeatable || error.status === 429 || error.status === 503; // these statuses mean that nothing was done
}

/** Return whether an error of a retried DELETE means that it was done. @param {string} method @param {unknown} error */
function isGone(method, error) {
  return method === "DELETE" && error instanceof ApiError && error.status === 404;
}

function csrfCookie() {
  return /(?:^|; )csrftoken=([^;]*)/.exec(globalThis.document?.cookie ?? "")?.[1] ?? "";
}

/** Return a new idempotency key. (`randomUUID` is missing on pages without TLS.) */
export function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
