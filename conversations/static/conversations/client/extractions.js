/** Extractions, their batches and their schemas, as the API has them. */

import { Extracting } from "./extracting.js";
import { EXTRACTIONS, follow } from "./following.js";
import { newKey } from "./http.js";

/** @typedef {import("./extracting.js").ExtractionEvent} ExtractionEvent */
/** @typedef {import("./following.js").Ways} Ways */
/** @typedef {import("./http.js").Http} Http */
/** @typedef {Record<string, any>} Fields */
/** @typedef {{signal?: AbortSignal, key?: string}} CreateOptions `key` is the idempotency key; one is made up else */

const PATH = "extraction";

/** Things of one kind under a path of the API. */
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
   * Create one, once: a request whose answer was lost is sent again with the same key.
   * @param {Fields} body
   * @param {CreateOptions} [options]
   * @returns {Promise<any>}
   */
  create(body, { signal, key = newKey() } = {}) {
    const options = { body, signal, headers: { "Idempotency-Key": key }, repeatable: true, patience: Infinity };
    return this._http.request("POST", `${this._path}/`, options);
  }

  /** Read what is below one of them. @param {string} id @param {string} path @returns {Promise<any>} */
  _below(id, path) {
    return this._http.request("GET", `${this._path}/${id}/${path}`);
  }

  /** Ask for something that changes nothing when it is asked for twice. @param {string} id @param {string} action */
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
   * Extract, and return the extraction as it comes.
   * @param {Fields} fields schema, content, model, max_attempts, …
   * @param {CreateOptions} [options]
   */
  extract(fields, { signal, key = newKey() } = {}) {
    return this._extracting(() => this.create(fields, { signal, key }), signal);
  }

  /** Follow an extraction that exists, from its beginning. @param {string} id @param {AbortSignal} [signal] */
  resume(id, signal) {
    return this._extracting(async () => ({ id }), signal);
  }

  /**
   * Yield an extraction's events past a position; of what there is of the data, the newest is enough.
   * @param {string} id
   * @param {number} [after]
   * @param {AbortSignal} [signal]
   * @returns {AsyncGenerator<any>}
   */
  follow(id, after = 0, signal = new AbortController().signal) {
    return follow(this._ways, EXTRACTIONS, id, after, signal);
  }

  /** Stop it, and keep what there is. @param {string} id @returns {Promise<any>} */
  cancel(id) {
    return this._act(id, "cancel");
  }

  /**
   * Decide on the data.
   * @param {string} id
   * @param {{decision: "approved" | "rejected" | "corrected", data?: any, comment?: string}} decision
   * @returns {Promise<any>}
   */
  review(id, decision) {
    return this._http.request("POST", `${this._path}/${id}/review/`, { body: decision });
  }

  /** Return what it is made from. @param {string} id @returns {Promise<any[]>} */
  async sources(id) {
    return (await this._below(id, "sources/")).results;
  }

  /** Return a source's text; evidence has its offsets in code points. @param {string} id @param {number} index */
  sourceText(id, index) {
    return this._below(id, `sources/${index}/text/`);
  }

  /** Return where quotes stand on a page of a PDF. @param {string} id @param {number} index @param {number} page */
  sourcePage(id, index, page) {
    return this._below(id, `sources/${index}/pages/${page}/`);
  }

  /** Return the address of the picture of a page. @param {string} id @param {number} index @param {number} page */
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

  /** Try again what has failed. @param {string} id @returns {Promise<any>} */
  retry(id) {
    return this._act(id, "retry");
  }

  /** Return the address of the results as a file. @param {string} id @param {"jsonl" | "csv" | "xlsx"} format */
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
   * Add a schema, or the next version of one. It is not sent again by itself, since each time would make a version.
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
