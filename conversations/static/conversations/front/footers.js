/** The footer of each message: its actions, its end, its cost. */

import { copyText } from "./copying.js";
import { element, iconButton } from "./elements.js";
import { dollars, tokens } from "./money.js";
import { endNotice, noticeView } from "./notices.js";
import { editQuestion } from "./editing.js";
import { thumbs } from "./thumbs.js";
import { momentOf, timeOf } from "./times.js";

/** @typedef {import("./conversation.js").Conversation} Conversation */
/** @typedef {import("./items.js").Item} Item */

const ASKS = { "data-asks": true }; // not for those who may only read
const STAYS = 200; // milliseconds in sight after which an answer is not one that is scrolled past

/** @type {WeakMap<Conversation, Footers>} */
const made = new WeakMap();

/** Return the footers of a conversation's messages. @param {Conversation} conversation @returns {Footers} */
export function footersOf(conversation) {
  const found = made.get(conversation) ?? new Footers(conversation);
  made.set(conversation, found);
  return found;
}

/** The footers of one conversation. A turn's cost is loaded when its answer stays in view. */
class Footers {
  /** @param {Conversation} conversation */
  constructor(conversation) {
    this.conversation = conversation;
    /** @type {Map<Element, {item: Item, timer?: ReturnType<typeof setTimeout>}>} */
    this._waiting = new Map();
    this._sight = new IntersectionObserver((entries) => entries.forEach((entry) => this._seen(entry)));
    const { signal, thread } = conversation;
    thread.list.addEventListener("contentvisibilityautostatechange", (event) => this._near(event), { signal });
  }

  /** Show the footer of an item, and later what its turn says. @param {Item} item @param {any} [turn] */
  show(item, turn) {
    const { footer } = item.view;
    if (item.kind === "question") footer.replaceChildren(...this._questionTools(item));
    else if (item.messages.length) footer.replaceChildren(...this._answerTools(item));
    this.conversation.siblings.show(item);
    if (turn) this._tell(item, turn);
    else if (item.messages[0]?.turn) this._await(item);
  }

  /** @param {Item} item */
  _questionTools(item) {
    const text = () => /** @type {any} */ (item.view).text;
    /** @type {HTMLButtonElement} */
    const copy = iconButton("copy", "Copy the question", () => copyText(text(), copy));
    return [
      element("div", { class: "siblings" }),
      copy,
      iconButton("edit", "Edit the question", () => editQuestion(this.conversation, item), ASKS),
    ];
  }

  /** @param {Item} item */
  _answerTools(item) {
    const last = item.messages.at(-1);
    const text = item.messages.flatMap((each) => each.content).map((block) => block.text ?? "").join("");
    /** @type {HTMLButtonElement} */
    const copy = iconButton("copy", "Copy the answer", () => copyText(text, copy));
    return [
      element("div", { class: "siblings" }),
      text && copy,
      last?.id && iconButton("again", "Try again", () => this.conversation.regenerate(item), ASKS),
      ...(last?.id ? thumbs(this.conversation.client, last.id) : []),
      element("span", { class: "about" }),
    ].filter(Boolean);
  }

  /** @param {Item} item */
  _await(item) {
    this._waiting.set(item.view.element, { item });
    this._sight.observe(item.view.element);
  }

  /**
   * Look only at answers near what is seen: the browser would go through all others in every frame.
   * @param {any} event tells whether the browser leaves out a chunk of messages
   */
  _near({ target, skipped }) {
    for (const message of target.children) {
      if (!this._waiting.has(message)) continue;
      if (skipped) this._sight.unobserve(message);
      else this._sight.observe(message);
    }
  }

  /** @param {IntersectionObserverEntry} entry */
  _seen({ isIntersecting, target }) {
    const waiting = this._waiting.get(target);
    clearTimeout(waiting?.timer);
    if (waiting && isIntersecting) waiting.timer = setTimeout(() => this._ask(target, waiting.item), STAYS);
  }

  /** @param {Element} target @param {Item} item */
  async _ask(target, item) {
    this._sight.unobserve(target);
    this._waiting.delete(target);
    const turn = await this.conversation.client.turn(item.messages[0].turn).catch(() => null);
    if (turn) this._tell(item, turn);
  }

  /** @param {Item} item @param {any} turn */
  _tell(item, turn) {
    const about = item.view.footer.querySelector(".about");
    const amounts = [turn.model, tokens(turn.usage), dollars(turn.cost)].join(" · ");
    about?.replaceChildren(`${amounts} · `, timeView(turn.created_at));
    const notice = endNotice(turn);
    if (!notice) return;
    item.view.element.querySelector(".notice")?.remove();
    item.view.footer.before(noticeView({ ...notice, actions: this._actions(item, turn) }));
    this.conversation.thread.follow();
  }

  /** @param {Item} item @param {any} turn @returns {[string, () => void][]} */
  _actions(item, turn) {
    const { conversation } = this;
    const asked = conversation.thread.find(turn.user_message);
    /** @type {Record<string, [string, () => void] | undefined>} */
    const possible = {
      continue: turn.messages.length ? ["Continue", () => conversation.continue(turn.id)] : undefined,
      retry: ["Try again", () => this._retry(item, turn)],
      edit: asked && ["Edit the question", () => editQuestion(conversation, asked)],
    };
    return turn.actions.map((/** @type {string} */ name) => possible[name]).filter(Boolean);
  }

  /** @param {Item} item @param {any} turn */
  _retry(item, turn) {
    if (item.messages[0].id) return this.conversation.regenerate(item);
    this.conversation.thread.cutFrom(item);
    const question = /** @type {any} */ ({ kind: "question", messages: [{ id: turn.user_message }] });
    return this.conversation.regenerate(question);
  }
}

/** @param {string} iso */
function timeView(iso) {
  return element("time", { datetime: iso, title: momentOf(iso) }, timeOf(iso));
}
