/** Something that is followed as it comes, to its end: its events, and what they add up to. */

/**
 * @typedef {object} Source Where the events come from.
 * @property {() => Promise<{id: string}>} begin returns what is followed, which exists from then on
 * @property {(id: string, after: number, signal: AbortSignal) => AsyncGenerator<any>} follow
 * @property {(id: string) => Promise<any>} cancel
 */

/** @typedef {{position: number, ended: boolean, add(event: any): void}} State */

/**
 * Iterate it for its events, or await `done()`; `state` has what there is so far.
 * @template {State} S
 */
export class Followed {
  /**
   * @param {Source} source
   * @param {S} state takes in each event
   * @param {AbortSignal} [signal] leaves it with the signal's reason; it goes on by itself
   */
  constructor(source, state, signal) {
    this._source = source;
    this._leaving = new AbortController();
    this._signal = signal ? AbortSignal.any([signal, this._leaving.signal]) : this._leaving.signal;
    /** What has come so far. */
    this.state = state;
    /** What is followed, as the server has created it. @type {Promise<any>} */
    this.begun = source.begin();
    this.begun.catch(() => {}); // it is thrown where the events are asked for
  }

  /** Yield the events that have not been seen yet, to the end. @returns {AsyncGenerator<any>} */
  async *[Symbol.asyncIterator]() {
    const { id } = await this.begun;
    if (this.state.ended) return;
    for await (const event of this._source.follow(id, this.state.position, this._signal)) {
      this.state.add(event);
      yield event;
    }
  }

  /** Read to the end, and return what it has come to. @returns {Promise<S>} */
  async done() {
    for await (const _ of this) void _;
    return this.state;
  }

  /** Stop it. What there is is kept, and the events go on to its end. */
  async stop() {
    const { id } = await this.begun;
    return this._source.cancel(id);
  }

  /** Follow it no longer. It goes on, and can be followed later. */
  leave() {
    this._leaving.abort(new DOMException("It was left.", "AbortError"));
  }
}
