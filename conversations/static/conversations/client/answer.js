/** An answer as it comes: its events, and what they add up to. */

import { Folding } from "./folding.js";

/** @typedef {import("./transcript.js").TurnEvent} TurnEvent */

/**
 * @typedef {object} Source Where an answer comes from.
 * @property {() => Promise<any>} begin returns the turn, which exists from then on
 * @property {(turn: string, after: number, signal: AbortSignal) => AsyncGenerator<TurnEvent>} follow
 * @property {(turn: string) => Promise<any>} cancel
 */

/** A turn that is being answered. Iterate it for its events, or await `done()`; `state` has what there is so far. */
export class Answer {
  /** @param {Source} source @param {AbortSignal} [signal] leaves the turn, which goes on, with its reason */
  constructor(source, signal) {
    this._source = source;
    this._leaving = new AbortController();
    this._signal = signal ? AbortSignal.any([signal, this._leaving.signal]) : this._leaving.signal;
    /** What has come so far: messages of content blocks, thinking, tool calls, citations. */
    this.state = new Folding();
    /** The turn as the server has created it. @type {Promise<any>} */
    this.turn = source.begin();
    this.turn.catch(() => {}); // it is thrown where the events are asked for
  }

  /** Yield the events that have not been seen yet, to the end. @returns {AsyncGenerator<TurnEvent>} */
  async *[Symbol.asyncIterator]() {
    const { id } = await this.turn;
    if (this.state.ended) return;
    for await (const event of this._source.follow(id, this.state.position, this._signal)) {
      this.state.add(event);
      yield event;
    }
  }

  /** Read to the end, and return what it has come to. @returns {Promise<Folding>} */
  async done() {
    for await (const _ of this) void _;
    return this.state;
  }

  /** Stop the turn. What has been said is kept, and the events go on to its end. */
  async stop() {
    const { id } = await this.turn;
    return this._source.cancel(id);
  }

  /** Follow it no longer. The turn goes on, and can be followed later. */
  leave() {
    this._leaving.abort(new DOMException("The answer was left.", "AbortError"));
  }
}
