/** Turns and extractions followed over server-sent events, one request for each. */

import { ApiError, ConnectionLost, toldError } from "./errors.js";

/** @typedef {import("./http.js").Http} Http */
/** @typedef {import("./transcript.js").TurnEvent} TurnEvent */

/**
 * Yield the events after a position until the end, or until the connection breaks.
 * Throws ConnectionLost if it breaks or the server is silent for too long, ApiError if the server refuses.
 * @param {Http} http
 * @param {string} path of the followed work, such as `turns/ID`
 * @param {number} after
 * @param {{signal: AbortSignal, silence: number}} options `silence` in milliseconds
 * @returns {AsyncGenerator<TurnEvent>}
 */
export async function* streamedEvents(http, path, after, { signal, silence }) {
  const ending = new AbortController();
  const end = () => ending.abort(signal.reason);
  signal.addEventListener("abort", end);
  const watch = new Watch(silence, () => ending.abort(new DOMException("silent", "TimeoutError")));
  try {
    const response = await http.send("GET", `${path}/events/?after=${after}`, {
      signal: ending.signal, headers: { Accept: "text/event-stream" },
    });
    yield* ofTranscript(eventsIn(response, http.json, () => watch.restart()), after);
  } catch (error) {
    throw error instanceof ApiError || signal.aborted ? error : new ConnectionLost("The stream broke.", error);
  } finally {
    watch.end();
    signal.removeEventListener("abort", end);
    ending.abort();
  }
}

/** A timer that calls back after a time without activity. */
class Watch {
  /** @param {number} milliseconds @param {() => void} onSilence */
  constructor(milliseconds, onSilence) {
    this.milliseconds = milliseconds;
    this.onSilence = onSilence;
    this.restart();
  }

  restart() {
    clearTimeout(this._timer);
    this._timer = setTimeout(this.onSilence, this.milliseconds);
  }

  end() {
    clearTimeout(this._timer);
  }
}

/**
 * Yield the events of a response, each as soon as it is complete.
 * @param {Response} response
 * @param {{parse: (text: string) => any}} json
 * @param {() => void} onBytes
 * @returns {AsyncGenerator<TurnEvent>}
 */
async function* eventsIn(response, json, onBytes) {
  const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    onBytes();
    const parts = (rest + decoder.decode(value, { stream: true })).split("\n\n");
    rest = parts.pop() ?? "";
    for (const part of parts) yield* eventIn(part, json);
  }
}

/**
 * @param {string} part the lines of one event, or of a comment
 * @param {{parse: (text: string) => any}} json
 * @returns {Generator<TurnEvent>}
 */
function* eventIn(part, json) {
  const data = part.split("\n").find((line) => line.startsWith("data: "));
  if (data) yield json.parse(data.slice("data: ".length));
}

/**
 * Yield a transcript's events. An error of the connection, as opposed to one in the transcript, is thrown.
 * @param {AsyncGenerator<TurnEvent>} events
 * @param {number} position of the reader
 */
async function* ofTranscript(events, position) {
  for await (const event of events) {
    if (event.type === "error" && event.position <= position) {
      const error = toldError(event.error);
      throw error.status ? error : new ConnectionLost(error.message);
    }
    position = event.position;
    yield event;
  }
}
