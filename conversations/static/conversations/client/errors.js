/** Errors of requests: refused by the server, or a lost connection. */

/**
 * @typedef {object} ErrorBody The server's own description of an error.
 * @property {string} type such as "not_found_error"
 * @property {string} message
 * @property {Record<string, any>} [details]
 */

const NOT_REFUSED = new Set([408, 425, 429, 500, 502, 503, 504]);

/** The server has responded with an error. */
export class ApiError extends Error {
  /**
   * @param {number} status of the HTTP response; 0 for an error that came over the WebSocket
   * @param {ErrorBody} body
   * @param {{requestId?: string, retryAfter?: number}} [about] `retryAfter` in seconds
   */
  constructor(status, body, { requestId, retryAfter } = {}) {
    super(body.message);
    this.name = "ApiError";
    this.status = status;
    this.type = body.type;
    this.details = body.details ?? {};
    this.requestId = requestId;
    this.retryAfter = retryAfter;
  }

  /** Whether a retry may succeed: the server is overloaded or restarts, or a limit says when to retry. */
  get isTemporary() {
    if (this.status === 429) return this.retryAfter !== undefined && this.type !== "budget_exceeded";
    return NOT_REFUSED.has(this.status);
  }

  /** Whether the user has to log in (again). */
  get needsLogin() {
    return this.status === 401 || this.type === "authentication_error";
  }
}

/** The server was not reached, or the connection broke: the outcome of the request is unknown. */
export class ConnectionLost extends Error {
  /** @param {string} message @param {unknown} [cause] */
  constructor(message, cause) {
    super(message, { cause });
    this.name = "ConnectionLost";
  }
}

/** By types of errors that come without a status: what it would be. @type {Record<string, number>} */
const STATUSES = { authentication_error: 401, permission_error: 403, not_found_error: 404, rate_limit_error: 429 };

/**
 * Return the error in an event of a stream, or in a frame of the WebSocket.
 * @param {ErrorBody} body
 */
export function toldError(body) {
  return new ApiError(STATUSES[body.type] ?? 0, body);
}

/** The WebSocket's close codes after which there is no retry, as errors of the API. */
const REFUSALS = new Map([
  [4401, { status: 401, type: "authentication_error", message: "You are no longer logged in: log in again." }],
  [4403, { status: 403, type: "permission_error", message: "This page's origin is not allowed by the server." }],
  [4429, { status: 429, type: "rate_limit_error", message: "Too many connections or commands: close some tabs." }],
]);

/**
 * Return the error for a WebSocket that was closed.
 * @param {number} code
 * @returns {ApiError | ConnectionLost} the latter if reconnecting may help
 */
export function closeError(code) {
  const refusal = REFUSALS.get(code);
  return refusal ? new ApiError(refusal.status, refusal) : new ConnectionLost(`The WebSocket closed (${code}).`);
}

/**
 * Return the error in a response of the server.
 * @param {{status: number, headers: {get(name: string): string | null}}} response
 * @param {string} text its body
 */
export function responseError(response, text) {
  const seconds = Number(response.headers.get("retry-after") ?? NaN);
  const about = {
    requestId: response.headers.get("request-id") ?? undefined,
    retryAfter: Number.isFinite(seconds) ? seconds : undefined,
  };
  return new ApiError(response.status, errorBody(text, response.status), about);
}

/** @param {string} text @param {number} status @returns {ErrorBody} */
function errorBody(text, status) {
  try {
    const { error } = JSON.parse(text);
    if (typeof error?.message === "string") return error;
  } catch {
    // A proxy's error page, which is of no use to the user.
  }
  return { type: "api_error", message: `The server answered ${status}.` };
}
