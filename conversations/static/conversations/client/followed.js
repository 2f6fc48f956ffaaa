/** Followed work (a turn or an extraction): its events, and the state computed from them. */

/**
 * @typedef {object} Source Where the events come from.
 * @property {() => Promise<{id: string}>} begin creates the work and returns it
 * @property {(id: string, after: number, signal: AbortSignal) => AsyncGenerator<any>} follow
 * @property {(id: string) => Promise<any>} cancel
 */

/** @typedef {{position: number, ended: boolean, add(event: any): void}} State */

/**
 * Iterate over the events, or await `done()`; `state` has the state so far.
 * @template {State} S
 */
export class Followed {
  /**
   * @param {Source} source
   * @param {S} state processes each event
   * @param {AbortSignal} [signal] stops following, with the signal's reason; the work itself continues
   */
  constructor(source, state, signal) {
    this._source = source;
    this._leaving = new AbortController();
    this._signal = signal ? AbortSignal.any([signal, this._leaving.signal]) : this._leaving.signal;
    /** The state so far. */
    this.state = state;
    /** What is followed, as the server has created it. @type {Promise<any>} */
    this.begun = source.begin();
    this.begun.catch(() => {}); // thrown when the events are read
  }

  /** Yield the remaining events, to the end. @returns {AsyncGenerator<any>} */
  async *[Symbol.asyncIterator]() {
    const { id } = await this.begun;
    if (this.state.ended) return;
    for await (const event of this._source.follow(id, this.state.position, this._signal)) {
      this.state.add(event);
      yield event;
    }
  }

  /** Read to the end, and return the final state. @returns {Promise<S>} */
  async done() {
    for await (const _ of this) void _;
    return this.state;
  }

  /** Stop the work. Its partial result is kept, and the remaining events still follow. */
  async stop() {
    const { id } = await this.begun;
    return this._source.cancel(id);
  }

  /** Stop following. The work continues, and can be followed again later. */
  leave() {
    this._leaving.abort(new DOMException("It was left.", "AbortError"));
  }
}
