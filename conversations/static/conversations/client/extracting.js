/** A streamed extraction: its events, and the data so far. */

import { Followed } from "./followed.js";

/** @typedef {{path: string, message: string}} Problem `path` is a JSON Pointer */
/** @typedef {{number: number, problems: Problem[] | null}} Attempt `problems` is null while it is being written */

/**
 * @typedef {object} ExtractionEvent An event of an extraction.
 * @property {string} type
 * @property {string} extraction
 * @property {number} position where the transcript is after this event
 * @property {number} [attempt]
 * @property {any} [data]
 * @property {Problem[]} [problems]
 * @property {string} [status]
 */

/** The state of an extraction, computed from its events. */
export class ExtractionState {
  constructor() {
    this.position = 0;
    this.status = "queued";
    /** What there is of the data; all of it once it has ended. @type {any} */
    this.data = null;
    /** @type {Attempt[]} */
    this.attempts = [];
    /** The extraction as the API shows it, once it has ended. @type {any} */
    this.extraction = null;
  }

  /** Whether the extraction has ended. */
  get ended() {
    return this.extraction !== null;
  }

  /** Process the next event. @param {ExtractionEvent} event */
  add(event) {
    this.position = event.position;
    if (event.type === "extraction_start") this.status = "running";
    else if (event.type === "attempt_start") this._begin(Number(event.attempt));
    else if (event.type === "partial") this.data = event.data;
    else if (event.type === "attempt_end") this._attempt(Number(event.attempt)).problems = event.problems ?? [];
    else if (event.type === "extraction_end") this._end(event);
  }

  /** @param {number} number */
  _begin(number) {
    this._attempt(number);
    this.data = null;
  }

  /** @param {number} number @returns {Attempt} */
  _attempt(number) {
    const known = this.attempts.find((each) => each.number === number);
    if (known) return known;
    const attempt = { number, problems: null };
    this.attempts.push(attempt);
    return attempt;
  }

  /** @param {any} event */
  _end(event) {
    this.extraction = event;
    this.status = event.status;
    this.data = event.data;
  }
}

/**
 * An extraction that is followed; `state` has its data and its attempts.
 * @extends {Followed<ExtractionState>}
 */
export class Extracting extends Followed {
  /** @param {import("./followed.js").Source} source @param {AbortSignal} [signal] */
  constructor(source, signal) {
    super(source, new ExtractionState(), signal);
  }
}
