/** Folds transcripts as the client library does, whole and in two parts that overlap. */

import { readFileSync } from "node:fs";
import { Folding } from "../../conversations/static/conversations/client.js";
import { past } from "../../conversations/static/conversations/client/transcript.js";

/**
 * Return what transcripts fold to.
 * @param {unknown} _ the client, which is not needed
 * @param {string} file with transcripts, each with a position to resume at and one from which events come again
 */
export function foldAll(_, file) {
  return JSON.parse(readFileSync(file, "utf-8")).map((/** @type {any} */ transcript) => [
    messagesOf(transcript.events),
    messagesOf(resumed(transcript)),
  ]);
}

/** Return the events as a reader gets them that comes back, and is sent some of them again. @param {any} transcript */
function resumed({ events, left, again }) {
  const before = events.filter((/** @type {any} */ event) => event.position <= left);
  const position = before.at(-1)?.position ?? 0;
  const after = events.map((/** @type {any} */ event) => past(event, Math.min(again, position))).filter(Boolean);
  return [...before, ...after.map((event) => past(event, position)).filter(Boolean)];
}

/** @param {any[]} events */
function messagesOf(events) {
  const folding = new Folding();
  events.forEach((event) => folding.add(event));
  folding.add({ type: "turn_end", turn: "", position: Infinity });
  return folding.messages;
}
