/** The labels of states, ends and evidence, and of fields. */

import { errorText } from "../../conversations/front/notices.js";

/** @typedef {import("../../conversations/front/notices.js").Notice} Notice */
/** @typedef {{word: string, tone: "busy" | "good" | "bad" | "quiet"}} State */

/** @type {Record<string, State>} */
const STATES = {
  receiving: { word: "Coming in", tone: "busy" },
  queued: { word: "Waiting", tone: "busy" },
  running: { word: "Running", tone: "busy" },
  paused: { word: "Paused", tone: "quiet" },
  succeeded: { word: "Done", tone: "good" },
  ended: { word: "Done", tone: "good" },
  invalid: { word: "With problems", tone: "bad" },
  refused: { word: "Declined", tone: "bad" },
  truncated: { word: "Cut", tone: "bad" },
  failed: { word: "Failed", tone: "bad" },
  cancelled: { word: "Stopped", tone: "quiet" },
};

/** By statuses of evidence: a word for it beside the value, and a sentence. @type {Record<string, [string, string]>} */
const EVIDENCE = {
  exact: ["", "Found in the source, word for word."],
  fuzzy: ["nearly", "Found in the source, with differences in case, spaces, dashes or quotation marks."],
  not_found: ["not found", "The quote was not found in the source: check the value."],
  claimed: ["unchecked", "Claude read it in an image, a scan or a web page, where it can't be looked up."],
};

/** @param {string} status @returns {State} */
export function stateOf(status) {
  return STATES[status] ?? { word: status, tone: "quiet" };
}

/** @param {string | undefined} status of evidence; undefined where a value has none */
export function evidenceWords(status) {
  const [word, sentence] = EVIDENCE[status ?? ""] ?? ["", "Claude gave no source for this value."];
  return { word, sentence };
}

/** Return what a field is called, from its name in the schema. @param {string} name */
export function labelOf(name) {
  const words = name.replace(/([a-z0-9])([A-Z])/g, "$1 $2").replace(/[_-]+/g, " ").trim();
  return words ? words[0].toUpperCase() + words.slice(1) : name;
}

/**
 * Return the message about the end of an extraction; null if it succeeded.
 * @param {any} extraction
 * @returns {Notice | null}
 */
export function outcomeNotice({ status, error, attempts }) {
  const count = attempts.length === 1 ? "one attempt" : `${attempts.length} attempts`;
  switch (status) {
    case "invalid":
      return {
        text: `After ${count} the data does not satisfy the schema; what is wrong is marked below. ` +
          "Correct it here, extract again with more attempts, or loosen the schema.",
        tone: "error",
      };
    case "refused":
      return { text: "Claude declined to read this. Another model may, or other instructions.", tone: "error" };
    case "truncated":
      return { text: "The answer was cut off at its maximum length. A smaller document may fit.", tone: "error" };
    case "failed":
      return { text: errorText(error ?? { message: "It failed." }), tone: "error" };
    case "cancelled":
      return { text: "You stopped this extraction. Partial data is not kept." };
    default:
      return null;
  }
}
