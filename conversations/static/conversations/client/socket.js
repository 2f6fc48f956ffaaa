/** The WebSocket: one connection at a time, shared by all subscriptions. */

import { ApiError, ConnectionLost, closeError, toldError } from "./errors.js";

/** @typedef {import("./http.js").Http} Http */
/** @typedef {import("./transcript.js").TurnEvent} TurnEvent */
/** @typedef {Record<string, any> & {type: string}} Frame */

const PING_EVERY = 20_000; // milliseconds
const OPEN_WITHIN = 10_000;

/** Opens a connection on demand, and keeps it until it is lost. */
export class Socket {
  /**
   * @param {Http} http
   * @param {{silence: number}} options milliseconds without an answer after which a connection counts as broken
   */
  constructor(http, { silence }) {
    this.http = http;
    this.silence = silence;
    /** Whether a connection was ever open: if not, a proxy may block WebSockets. */
    this.hasWorked = false;
    /** @type {Promise<Connection> | null} */
    this._connection = null;
  }

  /** Return the open connection, or open one. Throws ApiError if the server refuses, else ConnectionLost. */
  connection() {
    this._connection ??= this._open();
    return this._connection;
  }

  /** Close what is open. */
  close() {
    const open = this._connection;
    this._connection = null;
    open?.then((connection) => connection.close(), () => {});
  }

  async _open() {
    try {
      const connection = await Connection.open(await this._address(), this.silence, this.http.json);
      this.hasWorked = true;
      this.http._onReached("online");
      connection.closed.then((error) => this._left(error));
      return connection;
    } catch (error) {
      this._left(error);
      throw error;
    }
  }

  /** @param {unknown} error */
  _left(error) {
    if (!this._connection) return; // closed on purpose
    this._connection = null;
    this.http._onReached(error instanceof ApiError ? (error.needsLogin ? "refused" : "online") : "offline");
  }

  /** Pages can't send headers with a WebSocket: those with a token get a ticket for each. */
  async _address() {
    const address = `${this.http.base.replace(/^http/, "ws")}/ws/`;
    if (!this.http.access.token) return address;
    const { ticket } = await this.http.request("POST", "auth/ws-ticket/", { repeatable: true, patience: 0 });
    return `${address}?ticket=${encodeURIComponent(ticket)}`;
  }
}

/** One open WebSocket. */
export class Connection {
  /**
   * Open a connection and return it. Throws ConnectionLost or ApiError.
   * @param {string} address
   * @param {number} silence milliseconds
   * @param {{parse: (text: string) => any}} json
   * @returns {Promise<Connection>}
   */
  static open(address, silence, json) {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(address);
      const connection = new Connection(socket, silence, json);
      const tooLong = setTimeout(() => connection.close(), OPEN_WITHIN);
      socket.onopen = () => {
        clearTimeout(tooLong);
        resolve(connection);
      };
      connection.closed.then((error) => {
        clearTimeout(tooLong);
        reject(error);
      });
    });
  }

  /** @param {WebSocket} socket @param {number} silence milliseconds @param {{parse: (text: string) => any}} json */
  constructor(socket, silence, json) {
    this._socket = socket;
    this._silence = silence;
    this._refs = 0;
    /** @type {Set<Listener>} */
    this._listeners = new Set();
    /** @type {Promise<ApiError | ConnectionLost>} why it was closed, when it is */
    this.closed = new Promise((resolve) => (this._resolveClosed = resolve));
    socket.onmessage = ({ data }) => this._take(json.parse(data));
    socket.onclose = ({ code }) => this._end(closeError(code));
    socket.onerror = () => this._end(new ConnectionLost("The WebSocket broke."));
    this._pinging = setInterval(() => this._ping(), Math.min(PING_EVERY, silence));
  }

  /** Close the connection: its subscriptions end with ConnectionLost. */
  close() {
    this._socket.close();
    this._end(new ConnectionLost("The WebSocket was closed."));
  }

  /**
   * Send a command and yield the frames for which `isWanted` is true, until the connection ends, which throws.
   * @param {Frame} command
   * @param {(frame: Frame) => boolean} isWanted
   * @param {AbortSignal} signal
   * @returns {AsyncGenerator<Frame>}
   */
  async *frames(command, isWanted, signal) {
    const ref = ++this._refs;
    const listener = new Listener((frame) => frame.ref === ref || isWanted(frame));
    const leave = () => listener.end(signal.reason);
    this._listeners.add(listener);
    signal.addEventListener("abort", leave);
    try {
      if (this._ended) throw this._ended;
      this._socket.send(JSON.stringify({ ...command, ref }));
      for (;;) {
        const frame = await listener.next();
        if (frame.type === "error" && frame.position === undefined) throw toldError(frame.error);
        yield frame;
      }
    } finally {
      signal.removeEventListener("abort", leave);
      this._listeners.delete(listener);
    }
  }

  /**
   * Send a command without a reply, if the connection is still open.
   * @param {Frame} command
   */
  tell(command) {
    if (!this._ended) this._socket.send(JSON.stringify(command));
  }

  /** Whether somebody listens to a turn or an extraction. @param {string} name which of them @param {string} id */
  isFollowed(name, id) {
    return [...this._listeners].some((listener) => listener.isWanted({ type: "", [name]: id }));
  }

  /** @param {Frame} frame */
  _take(frame) {
    clearTimeout(this._lost);
    for (const listener of this._listeners) listener.offer(frame);
  }

  /** Detect a silently broken connection: it does not answer pings. */
  _ping() {
    if (this._socket.readyState !== WebSocket.OPEN) return;
    this._socket.send('{"type": "ping"}');
    clearTimeout(this._lost);
    this._lost = setTimeout(() => this.close(), this._silence);
  }

  /** @param {ApiError | ConnectionLost} error */
  _end(error) {
    if (this._ended) return;
    this._ended = error;
    clearInterval(this._pinging);
    clearTimeout(this._lost);
    for (const listener of this._listeners) listener.end(error);
    this._resolveClosed?.(error);
  }
}

/** A queue of the frames that a subscription waits for, and the end of the connection. */
class Listener {
  /** @param {(frame: Frame) => boolean} isWanted */
  constructor(isWanted) {
    this.isWanted = isWanted;
    /** @type {Frame[]} */
    this._frames = [];
    /** @type {{error: unknown} | undefined} */
    this._end = undefined;
    this._wake = () => {};
  }

  /** @param {Frame} frame */
  offer(frame) {
    if (!this.isWanted(frame)) return;
    this._frames.push(frame);
    this._wake();
  }

  /** @param {unknown} error thrown once all frames have been taken */
  end(error) {
    this._end ??= { error };
    this._wake();
  }

  /** @returns {Promise<Frame>} */
  async next() {
    while (!this._frames.length) {
      if (this._end) throw this._end.error;
      await new Promise((resolve) => (this._wake = () => resolve(undefined)));
    }
    return /** @type {Frame} */ (this._frames.shift());
  }
}
