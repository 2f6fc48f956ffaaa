/** The items of a conversation on the page: questions, and answers with all messages of their turns. */

import { AnswerView } from "./answer_view.js";
import { isResult } from "./block_views.js";
import { mathematicsShown } from "./mathematics.js";
import { QuestionView } from "./question_view.js";
import { mapInSlices } from "./slices.js";

/** @typedef {Record<string, any>} Message as the API shows it */

/**
 * @typedef {object} Item A question, or an answer with all messages of its turn.
 * @property {"question" | "answer"} kind
 * @property {Message[]} messages
 * @property {QuestionView | AnswerView} view
 * @property {() => void} [forget] called when the server has a question, or the user has it back
 */

/**
 * Return messages as items, which are made in slices: all messages of a turn but its question are one answer.
 * They are as high as they will stay.
 * @param {Message[]} messages
 * @returns {Promise<Item[]>}
 */
export async function itemsOf(messages) {
  /** @type {Message[][]} */
  const groups = [];
  for (const message of messages) {
    const last = groups.at(-1);
    const goesOn = last && !isQuestion(message) && !isQuestion(last[0]) && last[0].turn === message.turn;
    if (goesOn) last.push(message);
    else groups.push([message]);
  }
  const items = await mapInSlices(groups, (group) => (isQuestion(group[0]) ? question(group[0]) : answer(group)));
  items.forEach(({ kind, view }, index) => {
    const isUnanswered = kind === "question" && items[index + 1]?.kind === "question";
    view.element.classList.toggle("unanswered", isUnanswered);
  });
  await mathematicsShown();
  return items;
}

/** Whether a user has said it, and not a tool. @param {Message} message */
export function isQuestion({ role, content }) {
  return role === "user" && !(Array.isArray(content) && content.length > 0 && content.every(isResult));
}

/** @param {Message} message @returns {Item} */
export function question(message) {
  return { kind: "question", messages: [message], view: new QuestionView(message.content) };
}

/** @param {Message[]} messages those that are stored, if any @returns {Item} */
export function answer(messages = []) {
  const view = new AnswerView("Claude");
  view.show(/** @type {any} */ (messages));
  return { kind: "answer", messages, view };
}
