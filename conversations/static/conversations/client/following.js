/** Following a turn to its end, whatever happens to the connections on the way. */

import { ApiError, ConnectionLost } from "./errors.js";
import { Backoff } from "./pauses.js";
import { streamedEvents } from "./server_sent.js";
import { leavesGap, past } from "./transcript.js";

/** @typedef {import("./http.js").Http} Http */
/** @typedef {import("./socket.js").Socket} Socket */
/** @typedef {import("./socket.js").Connection} Connection */
/** @typedef {import("./transcript.js").TurnEvent} TurnEvent */
/** @typedef {"auto" | "websocket" | "sse"} Transport */
/** @typedef {{http: Http, socket: Socket, transport: Transport, silence: number}} Ways how events can come */

const SOCKET_ATTEMPTS = 2; // until events come over SSE, where no WebSocket has ever opened

/**
 * Yield a turn's events past a position, each once and in order, to its end.
 * Connects again as often as the connection is lost. Throws ApiError where the server refuses for good.
 * @param {Ways} ways
 * @param {string} turn
 * @param {number} after
 * @param {AbortSignal} signal ends it with its reason
 * @returns {AsyncGenerator<TurnEvent>}
 */
export async function* followTurn(ways, turn, after, signal) {
  const backoff = new Backoff();
  for (let attempt = 0; ; attempt++) {
    try {
      for await (const event of connected(ways, turn, after, signal, attempt)) {
        if (leavesGap(event, after)) break; // another reader of this turn has begun later, on the same connection
        const rest = past(event, after);
        if (!rest) continue;
        backoff.reset();
        after = event.position;
        yield rest;
        if (event.type === "turn_end") return;
      }
    } catch (error) {
      if (!(error instanceof ConnectionLost) && !(error instanceof ApiError && error.isTemporary)) throw error;
      await backoff.wait(signal, error instanceof ApiError ? error.retryAfter : 0);
    }
    signal.throwIfAborted();
  }
}

/** @param {Ways} ways @param {string} turn @param {number} after @param {AbortSignal} signal @param {number} attempt */
function connected(ways, turn, after, signal, attempt) {
  if (usesSocket(ways, attempt)) return socketEvents(ways.socket, turn, after, signal);
  return streamedEvents(ways.http, turn, after, { signal, silence: ways.silence });
}

/**
 * Tell whether the next attempt goes over the WebSocket.
 * @param {Ways} ways
 * @param {number} attempt how many there have been before
 */
export function usesSocket({ transport, socket }, attempt) {
  if (transport !== "auto") return transport === "websocket";
  return "WebSocket" in globalThis && (socket.hasWorked || attempt < SOCKET_ATTEMPTS);
}

/**
 * Yield a turn's events past a position, until the connection is lost, which is thrown.
 * @param {Socket} socket
 * @param {string} turn
 * @param {number} after
 * @param {AbortSignal} signal
 * @returns {AsyncGenerator<TurnEvent>}
 */
async function* socketEvents(socket, turn, after, signal) {
  const connection = await socket.connection();
  const command = { type: "turn.follow", turn, after };
  let ended = false;
  try {
    for await (const frame of connection.frames(command, (each) => isAbout(each, turn), signal)) {
      ended = frame.type === "turn_end";
      yield /** @type {TurnEvent} */ (frame);
    }
  } finally {
    if (!ended && !connection.isFollowed(turn)) connection.tell({ type: "turn.unfollow", turn });
  }
}

/** Whether a frame is an event of a turn, or says why no more of them come. @param {any} frame @param {string} turn */
function isAbout(frame, turn) {
  return frame.turn === turn || frame.error?.details?.turn === turn;
}
