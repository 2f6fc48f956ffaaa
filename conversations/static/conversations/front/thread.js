/** The messages of a conversation on the page: questions, answers, and the way back to older ones. */

import { AnswerView } from "./answer_view.js";
import { element } from "./elements.js";
import { isResult } from "./block_views.js";
import { QuestionView } from "./question_view.js";

/** @typedef {Record<string, any>} Message as the API shows it */

/**
 * @typedef {object} Item A question, or an answer with all messages of its turn.
 * @property {"question" | "answer"} kind
 * @property {Message[]} messages
 * @property {QuestionView | AnswerView} view
 */

const NEAR_END = 120; // pixels from the end within which the page follows what comes

/** The list of what was said, and where the reader is in it. */
export class Thread {
  /**
   * @param {HTMLElement} list
   * @param {HTMLElement} scroller
   * @param {{onOlder: () => Promise<void>, onItem: (item: Item) => void}} handlers
   */
  constructor(list, scroller, { onOlder, onItem }) {
    this.list = list;
    this.scroller = scroller;
    this._onItem = onItem;
    /** @type {Item[]} */
    this.items = [];
    this._follows = true;
    this._older = element("div", { class: "older", role: "status" });
    this._watchOlder(onOlder);
    scroller.addEventListener("scroll", () => this._noteReader(), { passive: true });
  }

  /** Show other messages. @param {Message[]} messages @param {boolean} hasOlder */
  replace(messages, hasOlder) {
    this.items = itemsOf(messages);
    this.list.replaceChildren(this._older, ...this.items.map((item) => item.view.element));
    this._older.hidden = !hasOlder;
    this.items.forEach(this._onItem);
    this._follows = true;
    this.toEnd();
  }

  /**
   * Put older messages before all others; the reader stays where they are.
   * @param {Message[]} messages
   * @param {boolean} hasOlder
   */
  prepend(messages, hasOlder) {
    const before = this.scroller.scrollHeight - this.scroller.scrollTop;
    const older = itemsOf(messages);
    this.items.unshift(...older);
    this._older.after(...older.map((item) => item.view.element));
    this._older.hidden = !hasOlder;
    older.forEach(this._onItem);
    this.scroller.scrollTop = this.scroller.scrollHeight - before;
  }

  /** Add an item at the end; whoever reads elsewhere stays there. @param {Item} item @returns {Item} */
  append(item) {
    this.items.push(item);
    this.list.append(item.view.element);
    this._onItem(item);
    this.follow();
    return item;
  }

  /** Remove an item and all after it. @param {Item | undefined} item */
  cutFrom(item) {
    const index = item ? this.items.indexOf(item) : -1;
    if (index < 0) return;
    for (const each of this.items.splice(index)) each.view.element.remove();
  }

  /** @param {string} id of a message */
  find(id) {
    return this.items.find((item) => item.messages.some((message) => message.id === id));
  }

  /** The id of the last message that is stored; null where there is none. */
  get leaf() {
    return this.items.flatMap((item) => item.messages).findLast((message) => message.id)?.id ?? null;
  }

  /** Follow what comes, if the reader has been at the end. */
  follow() {
    if (this._follows) this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  /** Go to the end, and follow what comes. */
  toEnd() {
    this._follows = true;
    this.follow();
  }

  _noteReader() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    this._follows = scrollHeight - scrollTop - clientHeight < NEAR_END;
    this.scroller.classList.toggle("away", !this._follows);
  }

  /** @param {() => Promise<void>} onOlder */
  _watchOlder(onOlder) {
    let loading = false;
    const observer = new IntersectionObserver(async ([entry]) => {
      if (!entry.isIntersecting || loading || this._older.hidden) return;
      loading = true;
      this._older.textContent = "Loading what was said before…";
      await onOlder().catch(() => {});
      this._older.textContent = "";
      loading = false;
      observer.unobserve(this._older); // which tells anew whether it is in sight
      observer.observe(this._older);
    }, { root: this.scroller, rootMargin: "800px 0px 0px 0px" });
    observer.observe(this._older);
  }
}

/** Return messages as items: all messages of a turn but its question are one answer. @param {Message[]} messages */
function itemsOf(messages) {
  /** @type {Item[]} */
  const items = [];
  for (const message of messages) {
    const last = items.at(-1);
    if (isQuestion(message)) items.push(question(message));
    else if (last?.kind === "answer" && last.messages[0].turn === message.turn) last.messages.push(message);
    else items.push(answer([message]));
  }
  for (const item of items) if (item.view instanceof AnswerView) item.view.show(/** @type {any} */ (item.messages));
  return items;
}

/** Whether a user has said it, and not a tool. @param {Message} message */
function isQuestion({ role, content }) {
  return role === "user" && !(Array.isArray(content) && content.length > 0 && content.every(isResult));
}

/** @param {Message} message @returns {Item} */
export function question(message) {
  return { kind: "question", messages: [message], view: new QuestionView(message.content) };
}

/** @param {Message[]} messages @returns {Item} */
export function answer(messages) {
  return { kind: "answer", messages, view: new AnswerView("Claude") };
}
