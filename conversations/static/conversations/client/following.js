/** Following a turn or an extraction to its end, with reconnections. */

import { ApiError, ConnectionLost } from "./errors.js";
import { Backoff } from "./pauses.js";
import { streamedEvents } from "./server_sent.js";
import { leavesGap, past } from "./transcript.js";

/** @typedef {import("./http.js").Http} Http */
/** @typedef {import("./socket.js").Socket} Socket */
/** @typedef {import("./socket.js").Connection} Connection */
/** @typedef {import("./transcript.js").TurnEvent} TurnEvent */

/**
 * @typedef {object} Kind What is followed.
 * @property {"turn" | "extraction"} name as commands and events have it
 * @property {string} path under which the API has them
 * @property {boolean} isWhole whether every reader gets every event; older events with partial data may be skipped
 */

/** @typedef {"auto" | "websocket" | "sse"} Transport */
/** @typedef {{http: Http, socket: Socket, transport: Transport, silence: number}} Ways how events can come */

/** @type {Kind} */
export const TURNS = { name: "turn", path: "turns", isWhole: true };
/** @type {Kind} */
export const EXTRACTIONS = { name: "extraction", path: "extraction/extractions", isWhole: false };

const SOCKET_ATTEMPTS = 2; // before SSE is used, if no WebSocket has ever opened

/**
 * Yield the events after a position, each once and in order, to the end.
 * Reconnects whenever the connection is lost. Throws ApiError if the server refuses permanently.
 * @param {Ways} ways
 * @param {Kind} kind
 * @param {string} id
 * @param {number} after
 * @param {AbortSignal} signal ends it with its reason
 * @returns {AsyncGenerator<TurnEvent>}
 */
export async function* follow(ways, kind, id, after, signal) {
  const backoff = new Backoff();
  for (let attempt = 0; ; attempt++) {
    try {
      for await (const event of connected(ways, kind, id, after, signal, attempt)) {
        if (kind.isWhole && leavesGap(event, after)) break; // another reader began later, on the same connection
        const rest = past(event, after);
        if (!rest) continue;
        backoff.reset();
        after = event.position;
        yield rest;
        if (event.type === `${kind.name}_end`) return;
      }
    } catch (error) {
      if (!(error instanceof ConnectionLost) && !(error instanceof ApiError && error.isTemporary)) throw error;
      await backoff.wait(signal, error instanceof ApiError ? error.retryAfter : 0);
    }
    signal.throwIfAborted();
  }
}

/**
 * @param {Ways} ways @param {Kind} kind @param {string} id @param {number} after @param {AbortSignal} signal
 * @param {number} attempt
 */
function connected(ways, kind, id, after, signal, attempt) {
  if (usesSocket(ways, attempt)) return socketEvents(ways.socket, kind, id, after, signal);
  return streamedEvents(ways.http, `${kind.path}/${id}`, after, { signal, silence: ways.silence });
}

/**
 * Return whether the next attempt uses the WebSocket.
 * @param {Ways} ways
 * @param {number} attempt the number of earlier attempts
 */
export function usesSocket({ transport, socket }, attempt) {
  if (transport !== "auto") return transport === "websocket";
  return "WebSocket" in globalThis && (socket.hasWorked || attempt < SOCKET_ATTEMPTS);
}

/**
 * Yield the events after a position, until the connection is lost, which throws.
 * @param {Socket} socket
 * @param {Kind} kind
 * @param {string} id
 * @param {number} after
 * @param {AbortSignal} signal
 * @returns {AsyncGenerator<TurnEvent>}
 */
async function* socketEvents(socket, { name }, id, after, signal) {
  const connection = await socket.connection();
  const command = { type: `${name}.follow`, [name]: id, after };
  let ended = false;
  try {
    for await (const frame of connection.frames(command, (each) => isAbout(each, name, id), signal)) {
      ended = frame.type === `${name}_end`;
      yield /** @type {TurnEvent} */ (frame);
    }
  } finally {
    if (!ended && !connection.isFollowed(name, id)) connection.tell({ type: `${name}.unfollow`, [name]: id });
  }
}

/**
 * Return whether a frame is an event of the followed work, or the error that ends it.
 * @param {any} frame @param {string} name @param {string} id
 */
function isAbout(frame, name, id) {
  return frame[name] === id || frame.error?.details?.[name] === id;
}
