/** Positions in a turn's transcript: a delta with a string is as long as its code points, any other event is 1 long. */

/**
 * @typedef {object} TurnEvent An event of a turn: Claude's own, or one of the platform's around them.
 * @property {string} type
 * @property {string} turn
 * @property {number} position where the transcript is after this event
 * @property {number} [index]
 * @property {any} [delta]
 * @property {any} [message]
 * @property {any} [content_block]
 * @property {any} [content]
 * @property {any} [error]
 * @property {any} [usage]
 * @property {string} [tool_use_id]
 * @property {boolean} [is_error]
 * @property {string} [status]
 * @property {string | null} [stop_reason]
 * @property {string | null} [cost]
 * @property {string[]} [messages]
 * @property {string} [conversation]
 * @property {string} [model]
 * @property {string} [user_message]
 */

/** @type {Record<string, string>} */
export const STRING_DELTAS = { text_delta: "text", thinking_delta: "thinking", input_json_delta: "partial_json" };

/**
 * Return the string of a delta, or undefined for any other event.
 * @param {TurnEvent} event
 * @returns {string | undefined}
 */
export function stringOf(event) {
  if (event.type !== "content_block_delta") return undefined;
  const string = event.delta?.[STRING_DELTAS[event.delta.type] ?? ""];
  return typeof string === "string" ? string : undefined;
}

/**
 * Return the number of positions of an event.
 * @param {TurnEvent} event
 */
export function lengthOf(event) {
  const string = stringOf(event);
  return string === undefined ? 1 : codePoints(string);
}

/** @param {string} string */
function codePoints(string) {
  let count = 0;
  for (const _ of string) count++;
  return count;
}

/**
 * Return the part of an event after a reader's position: all of it, none (null), or the end of a string.
 * @param {TurnEvent} event
 * @param {number} position
 * @returns {TurnEvent | null}
 */
export function past(event, position) {
  if (event.position <= position) return null;
  const string = stringOf(event);
  const seen = position - (event.position - lengthOf(event));
  if (string === undefined || seen <= 0) return event;
  const name = STRING_DELTAS[event.delta.type];
  return { ...event, delta: { ...event.delta, [name]: Array.from(string).slice(seen).join("") } };
}

/**
 * Return whether there is a gap between a reader's position and an event.
 * @param {TurnEvent} event
 * @param {number} position
 */
export function leavesGap(event, position) {
  return event.position - lengthOf(event) > position;
}
