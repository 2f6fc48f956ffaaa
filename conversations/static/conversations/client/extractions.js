/** The API's extractions, batches and schemas. */

import { Extracting } from "./extracting.js";
import { EXTRACTIONS, follow } from "./following.js";
import { newKey } from "./http.js";

/** @typedef {import("./extracting.js").ExtractionEvent} ExtractionEvent */
/** @typedef {import("./following.js").Ways} Ways */
/** @typedef {import("./http.js").Http} Http */
/** @typedef {Record<string, any>} Fields */
/** @typedef {{signal?: AbortSignal, key?: string}} CreateOptions `key` is the idempotency key; one is made up else */

const PATH = "extraction";

/** A collection under a path of the API. */
class Collection {
  /** @param {Http} http @param {string} name */
  constructor(http, name) {
    this._http = http;
    this._path = `${PATH}/${name}`;
  }

  /**
   * Return a page of the user's, newest first.
   * @param {Fields} [query]
   * @returns {Promise<{results: any[], next: string | null, previous: string | null}>}
   */
  list(query = {}) {
    return this._http.request("GET", `${this._path}/?${new URLSearchParams(query)}`);
  }

  /** @param {string} id @returns {Promise<any>} */
  get(id) {
    return this._http.request("GET", `${this._path}/${id}/`);
  }

  /** @param {string} id @returns {Promise<void>} */
  delete(id) {
    return this._http.request("DELETE", `${this._path}/${id}/`);
  }

  /**
   * Create an object, exactly once: a request whose response was lost is retried with the same key.
   * @param {Fields} body
   * @param {CreateOptions} [options]
   * @returns {Promise<any>}
   */
  create(body, { signal, key = newKey() } = {}) {
    const options = { body, signal, headers: { "Idempotency-Key": key }, repeatable: true, patience: Infinity };
    return this._http.request("POST", `${this._path}/`, options);
  }

  /** Read a path below an object. @param {string} id @param {string} path @returns {Promise<any>} */
  _below(id, path) {
    return this._http.request("GET", `${this._path}/${id}/${path}`);
  }

  /** Send an idempotent action to an object. @param {string} id @param {string} action */
  _act(id, action) {
    return this._http.request("POST", `${this._path}/${id}/${action}/`, { repeatable: true });
  }
}

/** A user's extractions. */
export class Extractions extends Collection {
  /** @param {Ways} ways */
  constructor(ways) {
    super(ways.http, "extractions");
    this._ways = ways;
  }

  /**
   * Extract, and return the streamed extraction.
   * @param {Fields} fields schema, content, model, max_attempts, …
   * @param {CreateOptions} [options]
   */
  extract(fields, { signal, key = newKey() } = {}) {
    return this._extracting(() => this.create(fields, { signal, key }), signal);
  }

  /** Follow an existing extraction from its beginning. @param {string} id @param {AbortSignal} [signal] */
  resume(id, signal) {
    return this._extracting(async () => ({ id }), signal);
  }

  /**
   * Yield an extraction's events after a position; of events with partial data, older ones may be skipped.
   * @param {string} id
   * @param {number} [after]
   * @param {AbortSignal} [signal]
   * @returns {AsyncGenerator<any>}
   */
  follow(id, after = 0, signal = new AbortController().signal) {
    return follow(this._ways, EXTRACTIONS, id, after, signal);
  }

  /** Stop an extraction, and keep its answers. @param {string} id @returns {Promise<any>} */
  cancel(id) {
    return this._act(id, "cancel");
  }

  /**
   * Review the data.
   * @param {string} id
   * @param {{decision: "approved" | "rejected" | "corrected", data?: any, comment?: string}} decision
   * @returns {Promise<any>}
   */
  review(id, decision) {
    return this._http.request("POST", `${this._path}/${id}/review/`, { body: decision });
  }

  /** Return the sources of an extraction. @param {string} id @returns {Promise<any[]>} */
  async sources(id) {
    return (await this._below(id, "sources/")).results;
  }

  /** Return a source's text; evidence has its offsets in code points. @param {string} id @param {number} index */
  sourceText(id, index) {
    return this._below(id, `sources/${index}/text/`);
  }

  /** Return the places of quotes on a page of a PDF. @param {string} id @param {number} index @param {number} page */
  sourcePage(id, index, page) {
    return this._below(id, `sources/${index}/pages/${page}/`);
  }

  /** Return the URL of the image of a page. @param {string} id @param {number} index @param {number} page */
  sourcePageImage(id, index, page) {
    return this._http.url(`${this._path}/${id}/sources/${index}/pages/${page}/image/`);
  }

  /** @param {() => Promise<any>} begin @param {AbortSignal} [signal] */
  _extracting(begin, signal) {
    const follow = (/** @type {string} */ id, /** @type {number} */ after, /** @type {AbortSignal} */ leaving) =>
      this.follow(id, after, leaving);
    return new Extracting({ begin, follow, cancel: (id) => this.cancel(id) }, signal);
  }
}

/** A user's batches: the same schema for many contents. */
export class Batches extends Collection {
  /** @param {Http} http */
  constructor(http) {
    super(http, "batches");
  }

  /** Return a page of a batch's items. @param {string} id @param {Fields} [query] @returns {Promise<any>} */
  items(id, query = {}) {
    return this._below(id, `items/?${new URLSearchParams(query)}`);
  }

  /** @param {string} id @returns {Promise<any>} */
  pause(id) {
    return this._act(id, "pause");
  }

  /** @param {string} id @returns {Promise<any>} */
  resume(id) {
    return this._act(id, "resume");
  }

  /** @param {string} id @returns {Promise<any>} */
  cancel(id) {
    return this._act(id, "cancel");
  }

  /** Retry the failed items. @param {string} id @returns {Promise<any>} */
  retry(id) {
    return this._act(id, "retry");
  }

  /** Return the URL of the results as a file. @param {string} id @param {"jsonl" | "csv" | "xlsx"} format */
  results(id, format) {
    return this._http.url(`${this._path}/${id}/results/?format=${format}`);
  }
}

/** A user's named schemas, in versions that never change. */
export class Schemas extends Collection {
  /** @param {Http} http */
  constructor(http) {
    super(http, "schemas");
  }

  /**
   * Add a schema, or the next version of one. The request is not retried, since each one would create a version.
   * @param {{name: string, json_schema: Fields, instructions?: string, examples?: any[]}} schema
   * @returns {Promise<any>}
   */
  create(schema) {
    return this._http.request("POST", `${this._path}/`, { body: schema });
  }

  /** Return a page of all versions under a schema's name. @param {string} id @param {Fields} [query] */
  versions(id, query = {}) {
    return this._below(id, `versions/?${new URLSearchParams(query)}`);
  }
}
