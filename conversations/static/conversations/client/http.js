/** Requests to the API: with a token or the page's session, tried again where that is safe and may help. */

import { ApiError, ConnectionLost, responseError } from "./errors.js";
import { exactJson } from "./exact_json.js";
import { Backoff } from "./pauses.js";

/**
 * @typedef {object} Access How the server knows who asks.
 * @property {string} [token] sent as `Authorization: Bearer`; without one, the browser sends its session's cookie
 * @property {() => string} [csrf] returns the session's CSRF token; by default the cookie `csrftoken`
 * @property {boolean} [exactNumbers] whether whole numbers that JavaScript would round come as BigInts; by default not
 */

/**
 * @typedef {object} RequestOptions
 * @property {any} [body] sent as JSON, or as it is where it is a FormData
 * @property {Record<string, string>} [headers]
 * @property {AbortSignal} [signal]
 * @property {boolean} [repeatable] whether it may be sent again after its answer was lost; by default all but POST
 * @property {number} [patience] milliseconds in which it is tried again; by default 30 seconds
 */

const PATIENCE = 30_000;
const ANSWER_WITHIN = 60_000; // milliseconds until a request counts as lost

/** One server, and one user's access to it. */
export class Http {
  /**
   * @param {string} base the server's address
   * @param {Access} access
   * @param {(reached: "online" | "offline" | "refused") => void} onReached told of each attempt
   */
  constructor(base, access, onReached) {
    this.base = base.replace(/\/+$/, "");
    this.access = access;
    /** What reads and writes JSON. @type {{parse: (text: string) => any, stringify: (value: any) => string}} */
    this.json = access.exactNumbers ? exactJson : JSON;
    this._onReached = onReached;
  }

  /**
   * Send a request and return its answer's JSON; null where it has none.
   * Throws ApiError for an error that the server answers, ConnectionLost where it can't be reached.
   * @param {string} method
   * @param {string} path such as "me/", or an address of the server's own
   * @param {RequestOptions} [options]
   * @returns {Promise<any>}
   */
  request(method, path, options = {}) {
    return this.persist(method, () => this._once(method, path, options), options);
  }

  /**
   * Do what sends a request, and do it again where that is safe and may help.
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
   * Send a request once and return its response, whose body has not been read.
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
    // A browser takes what there is of a status line that was cut for a status.
    if (response.status < 200) throw this._lost(`status ${response.status}`);
    if (!response.ok) throw this._refused(responseError(response, await this._text(response)));
    this._onReached("online");
    return response;
  }

  /** @param {string} path @returns {string} */
  url(path) {
    if (!/^https?:/.test(path)) return `${this.base}/api/${path}`;
    const { pathname, search } = new URL(path); // a proxy may have hidden the address under which we reach it
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
  return repeatable || error.status === 429 || error.status === 503; // which say that nothing was done
}

/** Whether a DELETE that is sent again finds that it has been done. @param {string} method @param {unknown} error */
function isGone(method, error) {
  return method === "DELETE" && error instanceof ApiError && error.status === 404;
}

function csrfCookie() {
  return /(?:^|; )csrftoken=([^;]*)/.exec(globalThis.document?.cookie ?? "")?.[1] ?? "";
}

/** Return an idempotency key that nobody has used. (`randomUUID` is missing on pages that came without TLS.) */
export function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
