/** Watching a conversation for turns that any user begins. */

import { ApiError, ConnectionLost } from "./errors.js";
import { usesSocket } from "./following.js";
import { Backoff, pause } from "./pauses.js";

/** @typedef {import("./following.js").Ways} Ways */

const LOOK_AFTER = 2_000; // milliseconds, and
const LOOK_EVERY = 30_000; // in case a turn began while no connection was open
const POLL_EVERY = 3_000; // without a WebSocket
const NEWEST = 5;

/**
 * Yield the ids of a conversation's turns: first of active ones, then of new ones as they begin, each once.
 * @param {Ways} ways
 * @param {string} conversation
 * @param {AbortSignal} signal ends it with its reason
 * @returns {AsyncGenerator<string>}
 */
export async function* watchConversation(ways, conversation, signal) {
  /** @type {Set<string>} */
  const known = new Set();
  const isNew = (/** @type {string} */ turn) => !known.has(turn) && Boolean(known.add(turn));
  let first = true;
  for await (const _ of moments(ways, conversation, signal)) {
    for (const turn of await newestTurns(ways, conversation, signal)) {
      if (isNew(turn.id) && (!first || isActive(turn))) yield turn.id;
    }
    first = false;
  }
}

/** @param {{status: string}} turn */
export function isActive({ status }) {
  return status === "queued" || status === "running" || status === "awaiting_tools";
}

/** @param {Ways} ways @param {string} conversation @param {AbortSignal} signal @returns {Promise<any[]>} */
async function newestTurns({ http }, conversation, signal) {
  const path = `conversations/${conversation}/turns/?page_size=${NEWEST}`;
  return (await http.request("GET", path, { signal, patience: Infinity })).results.reverse();
}

/**
 * Yield whenever a check for turns is due: at once, when a turn begins, after a reconnection, and periodically.
 * @param {Ways} ways @param {string} conversation @param {AbortSignal} signal @returns {AsyncGenerator<void>}
 */
async function* moments(ways, conversation, signal) {
  const backoff = new Backoff();
  yield;
  for (let attempt = 0; ; attempt++) {
    if (!usesSocket(ways, attempt)) {
      await pause(POLL_EVERY, signal);
      yield;
      continue;
    }
    try {
      for await (const _ of beginnings(ways, conversation, signal)) {
        backoff.reset();
        yield;
      }
    } catch (error) {
      if (!(error instanceof ConnectionLost) && !(error instanceof ApiError && error.isTemporary)) throw error;
      await backoff.wait(signal);
    }
  }
}

/** @param {Ways} ways @param {string} conversation @param {AbortSignal} signal @returns {AsyncGenerator<unknown>} */
async function* beginnings({ socket }, conversation, signal) {
  const connection = await socket.connection();
  const look = () => connection.tell({ type: "ping", ref: conversation }); // its pong is a moment to look at
  const timers = [setTimeout(look, LOOK_AFTER), setInterval(look, LOOK_EVERY)];
  const isWanted = (/** @type {any} */ frame) =>
    (frame.type === "turn_start" && frame.conversation === conversation) ||
    frame.ref === conversation || frame.error?.details?.conversation === conversation;
  try {
    look();
    yield* connection.frames({ type: "conversation.follow", conversation }, isWanted, signal);
  } finally {
    timers.forEach(clearTimeout);
  }
}
