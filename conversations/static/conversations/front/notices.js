/** Messages to the user about errors and ends of turns. */

import { element, textButton } from "./elements.js";
import { durationOf, momentOf } from "./times.js";

/** @typedef {{text: string, actions?: [string, () => void][], tone?: "plain" | "error"}} Notice */

/**
 * By types of errors: what it means for the user. The server's own message comes after it.
 * @type {Record<string, string>}
 */
const MEANINGS = {
  overloaded_error: "Claude is overloaded at the moment. Try again in a minute.",
  rate_limit_error: "Too many requests in a short time.",
  timeout_error: "Claude took too long to answer.",
  api_error: "Claude's service has failed.",
  authentication_error: "You are no longer logged in.",
  permission_error: "You may not do that here.",
  conflict_error: "Another answer is still being written here.",
  request_too_large: "This is too large for Claude.",
  not_found_error: "This is not there any more.",
};

/** By stop reasons. @type {Record<string, string>} */
const STOPS = {
  max_tokens: "The answer has reached its maximum length.",
  refusal: "Claude declined to answer this. Ask differently, or edit the question.",
  model_context_window_exceeded: "The conversation is longer than the model can read.",
  pause_turn: "Claude has paused.",
};

/** By statuses of turns. @type {Record<string, string>} */
const ENDS = {
  cancelled: "You stopped this answer.",
  interrupted: "The server was interrupted while it wrote this answer. What was written is kept.",
};

const TIME = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g;

/**
 * Return the message about an error. Times in the server's message are converted to the reader's time zone.
 * @param {{type?: string, message: string, retryAfter?: number, requestId?: string}} error
 */
export function errorText(error) {
  const meaning = MEANINGS[error.type ?? ""];
  const waits = error.retryAfter && error.type !== "budget_exceeded"; // of a budget, the message itself says until when
  const message = error.message.replace(TIME, momentOf);
  const about = meaning && message && meaning !== message ? `${meaning} (${message})` : message;
  return waits ? `${about} Try again in ${durationOf(/** @type {number} */ (error.retryAfter))}.` : about;
}

/**
 * Return the message about the end of a turn; null if there is none.
 * @param {{status: string, stop_reason?: string | null, error?: any, messages?: {content: any[]}[]}} turn
 * @returns {Notice | null}
 */
export function endNotice({ status, stop_reason, error, messages = [] }) {
  if (status === "failed") return { text: errorText(error ?? { message: "It failed." }), tone: "error" };
  const isEmpty = status === "completed" && messages.every(({ content }) => content.length === 0);
  const text = ENDS[status] ?? STOPS[stop_reason ?? ""] ?? (isEmpty ? "Claude's answer is empty." : null);
  return text ? { text } : null;
}

/** Return a notice as an element. @param {Notice} notice */
export function noticeView({ text, actions = [], tone = "plain" }) {
  const buttons = actions.map(([label, act]) => textButton(label, act));
  return element("div", { class: `notice ${tone}`, role: tone === "error" ? "alert" : "note" },
    element("p", {}, text), element("div", { class: "actions" }, ...buttons));
}

/** Shows passing messages at the edge of the page, one at a time. */
export class Toast {
  /** @param {HTMLElement} place */
  constructor(place) {
    this.place = place;
  }

  /** @param {string} text @param {[string, () => void][]} [actions] */
  show(text, actions = []) {
    clearTimeout(this._timer);
    const act = (/** @type {() => void} */ then) => () => { this.hide(); then(); };
    const buttons = actions.map(([label, then]) => textButton(label, act(then)));
    this.place.replaceChildren(element("span", {}, text), ...buttons, textButton("Close", () => this.hide()));
    this.place.hidden = false;
    this._timer = setTimeout(() => this.hide(), 10_000);
  }

  hide() {
    this.place.hidden = true;
  }
}
