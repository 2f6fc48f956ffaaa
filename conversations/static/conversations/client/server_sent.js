/** Turns and extractions followed over server-sent events, one request for each. */

import { ApiError, ConnectionLost, toldError } from "./errors.js";

/** @typedef {import("./http.js").Http} Http */
/** @typedef {import("./transcript.js").TurnEvent} TurnEvent */

/**
 * Yield the events of something past a position until its end, or until the connection breaks.
 * Throws ConnectionLost where it breaks, also where the server is silent for so long; ApiError where it refuses.
 * @param {Http} http
 * @param {string} path of what is followed, such as `turns/ID`
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

/** Calls back when nothing has happened for some time. */
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
 * Yield the events of a response, each as soon as it is whole.
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
 * Pass a transcript's events on. An error that is not of the transcript, but the server's last word, is thrown.
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
