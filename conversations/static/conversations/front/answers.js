/** The answers of a conversation that are coming, whoever asked for them, and how each has ended. */

import { announce } from "./elements.js";
import { footersOf } from "./footers.js";
import { answer as answerItem, question } from "./items.js";
import { showLive } from "./live_answers.js";
import { errorText, noticeView } from "./notices.js";
import { ToolResults } from "./tool_results.js";

/** @typedef {import("./conversation.js").Conversation} Conversation */
/** @typedef {import("./items.js").Item} Item */
/** @typedef {import("../client.js").Answer} Answer */

/** What is being answered in one conversation. */
export class Answers {
  /** @param {Conversation} conversation */
  constructor(conversation) {
    this.conversation = conversation;
    /** @type {Map<string, Answer>} by turn */
    this._live = new Map();
    /** @type {Set<string>} turns that were shown to their end */
    this._shown = new Set();
    /** @type {Set<Promise<any>>} turns that are being created, whose ids are not known yet */
    this._beginning = new Set();
    /** When the path is shown below which the next one may be put. @type {Promise<void>} */
    this._joining = Promise.resolve();
  }

  /** Whether something is being answered, or about to be. */
  get isBusy() {
    return this._live.size + this._beginning.size > 0;
  }

  /** Forget what was shown: the thread is about to be filled anew. */
  forgetShown() {
    this._shown.clear();
  }

  /** Follow nothing any longer: another conversation is shown. What is being answered goes on. */
  leave() {
    for (const answer of this._live.values()) answer.leave();
  }

  /** Stop what is being answered; what waits behind it comes next. */
  async stop() {
    const [oldest] = this._live.values();
    await oldest?.stop();
  }

  /**
   * Ask, and show the answer as it comes.
   * @param {() => Answer} ask
   * @param {Item} [asked] the question, if it is new
   * @param {() => void} [onSent] called when the server has the question, or will not have it
   */
  async show(ask, asked, onSent = () => {}) {
    const { thread, page, signal } = this.conversation;
    const answer = ask();
    this._beginning.add(answer.turn);
    answer.turn.then(onSent, onSent);
    const item = answerItem();
    if (!signal.aborted) thread.append(item);
    page.onChange(this.conversation);
    try {
      const turn = await answer.turn;
      this._live.set(turn.id, answer);
      if (asked) Object.assign(asked.messages[0], { id: turn.user_message });
    } catch (error) {
      this._refused(error, item, asked, () => this.show(ask, asked));
      return;
    } finally {
      this._beginning.delete(answer.turn);
      page.onChange(this.conversation);
    }
    if (!signal.aborted) await this._follow(answer, item, asked);
  }

  /** Show a turn that was begun elsewhere. @param {string} id */
  async join(id) {
    await Promise.allSettled([...this._beginning]);
    if (this._live.has(id) || this._shown.has(id)) return;
    const { client, thread, signal } = this.conversation;
    const answer = client.resume(id, { signal });
    this._live.set(id, answer);
    this._joining = this._joining.catch(() => {}).then(() => this._showPath());
    await this._joining;
    const { queued_content: content, user_message } = await client.turn(id);
    if (signal.aborted) return;
    thread.cutFrom(thread.items.find((item) => item.kind === "answer" && item.messages[0]?.turn === id));
    const waits = content && !user_message;
    const asked = waits ? thread.append(question({ id: null, role: "user", content })) : undefined;
    await this._follow(answer, thread.append(answerItem()), asked);
  }

  /** Show the path that the server goes on from, if it is not the one that is shown. */
  async _showPath() {
    const { conversation } = this;
    const { active_leaf } = await conversation.client.conversation(/** @type {string} */ (conversation.id));
    if (active_leaf !== conversation.thread.leaf) await conversation.reload(active_leaf);
  }

  /** @param {Answer} answer @param {Item} item @param {Item} [asked] */
  async _follow(answer, item, asked) {
    const { thread, page, signal } = this.conversation;
    const { id } = await answer.turn;
    page.onChange(this.conversation);
    const results = new ToolResults(this.conversation, answer, item.view.footer);
    const shown = () => {
      results.update();
      thread.follow();
    };
    try {
      await showLive(answer, /** @type {any} */ (item.view), shown);
      await this._conclude(id, item, asked);
    } catch (error) {
      const text = errorText(/** @type {any} */ (error));
      if (!signal.aborted) {
        item.view.footer.replaceChildren(noticeView({ text }));
        announce(text); // in the place of what was said when it began
      }
    } finally {
      this._live.delete(id);
      this._shown.add(id);
      page.onChange(this.conversation);
    }
    await this.conversation.refresh().catch(() => {}); // its cost is only told the next time
  }

  /**
   * Put the stored messages in the place of what has come, which is the same, and say how it ended.
   * @param {string} id
   * @param {Item} item
   * @param {Item} [asked]
   */
  async _conclude(id, item, asked) {
    const { client, thread } = this.conversation;
    const turn = await client.turn(id);
    if (asked) asked.messages[0].id = turn.user_message; // one that has waited has none before
    item.messages = turn.messages.length ? turn.messages : [{ id: null, turn: id, role: "assistant", content: [] }];
    /** @type {any} */ (item.view).show(item.messages);
    footersOf(this.conversation).show(item, turn);
    thread.follow();
  }

  /** @param {any} error @param {Item} item @param {Item | undefined} asked @param {() => void} again */
  _refused(error, item, asked, again) {
    const { thread, page } = this.conversation;
    const text = /** @type {any} */ (asked?.view)?.text;
    const retry = () => {
      thread.cutFrom(item);
      again();
    };
    const edit = () => {
      thread.cutFrom(asked);
      page.putBack(text);
    };
    /** @type {[string, () => void][]} */
    const actions = [["Try again", retry], ...(text ? [/** @type {[string, () => void]} */ (["Edit", edit])] : [])];
    item.view.footer.replaceChildren(noticeView({ text: errorText(error), actions, tone: "error" }));
  }
}
