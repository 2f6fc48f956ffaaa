/** Pauses between attempts: growing, with jitter, and ended early when the network is back. */

const FIRST = 250; // milliseconds
const LONGEST = 15_000;

/** Grows with every failed attempt in a row. */
export class Backoff {
  /** @param {{first?: number, longest?: number}} [options] in milliseconds */
  constructor({ first = FIRST, longest = LONGEST } = {}) {
    this.first = first;
    this.longest = longest;
    this.failures = 0;
  }

  /** Reset to short pauses, after a successful attempt. */
  reset() {
    this.failures = 0;
  }

  /**
   * Wait before the next attempt, between half the limit and all of it, so that clients do not reconnect together.
   * @param {AbortSignal} [signal] ends the wait with its reason
   * @param {number} [atLeast] seconds that the server has asked for
   */
  async wait(signal, atLeast = 0) {
    const limit = Math.min(this.longest, this.first * 2 ** this.failures++);
    await pause(Math.max(atLeast * 1000, limit * (0.5 + Math.random() / 2)), signal, atLeast === 0);
  }
}

/**
 * Wait.
 * @param {number} milliseconds
 * @param {AbortSignal} [signal] ends the wait with its reason
 * @param {boolean} [untilOnline] whether it ends early when the browser says that the network is back
 * @returns {Promise<void>}
 */
export function pause(milliseconds, signal, untilOnline = false) {
  const page = untilOnline ? globalThis.window : undefined;
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const timer = setTimeout(end, milliseconds);
    function end() {
      clearTimeout(timer);
      page?.removeEventListener("online", end);
      signal?.removeEventListener("abort", end);
      signal?.aborted ? reject(signal.reason) : resolve();
    }
    page?.addEventListener("online", end);
    signal?.addEventListener("abort", end);
  });
}
