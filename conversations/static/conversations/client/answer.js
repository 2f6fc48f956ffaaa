/** A streamed answer: its events, and the messages folded from them. */

import { Folding } from "./folding.js";
import { Followed } from "./followed.js";

/**
 * A turn that is being answered; `state` has its messages of content blocks, thinking, tool calls and citations.
 * @extends {Followed<Folding>}
 */
export class Answer extends Followed {
  /** @param {import("./followed.js").Source} source @param {AbortSignal} [signal] */
  constructor(source, signal) {
    super(source, new Folding(), signal);
  }

  /** The turn as the server has created it. */
  get turn() {
    return this.begun;
  }
}
