/** The running answers of a conversation, to questions of any user, and how each has ended. */

import { announce, element, textButton } from "./elements.js";
import { footersOf } from "./footers.js";
import { answer as answerItem, question } from "./items.js";
import { showLive } from "./live_answers.js";
import { errorText, noticeView } from "./notices.js";
import { ToolResults } from "./tool_results.js";

/** @typedef {import("./conversation.js").Conversation} Conversation */
/** @typedef {import("./items.js").Item} Item */
/** @typedef {import("../client.js").Answer} Answer */

/** The running answers of one conversation. */
export class Answers {
  /** @param {Conversation} conversation */
  constructor(conversation) {
    this.conversation = conversation;
    /** @type {Map<string, Answer>} by turn */
    this._live = new Map();
    /** @type {Set<string>} turns that were shown to their end */
    this._shown = new Set();
    /** @type {Set<Answer>} those whose turns are being created: the ids are not known yet */
    this._beginning = new Set();
    /** When the path is shown below which the next one may be put. @type {Promise<void>} */
    this._joining = Promise.resolve();
  }

  /** Whether an answer is running, or about to begin. */
  get isBusy() {
    return this._live.size + this._beginning.size > 0;
  }

  /** Forget the shown answers: the thread is about to be filled again. */
  forgetShown() {
    this._shown.clear();
  }

  /** Stop following, because another conversation is shown. Running answers continue on the server. */
  leave() {
    for (const answer of this._live.values()) answer.leave();
  }

  /** Stop the running answer; the next queued question begins then. */
  async stop() {
    const [oldest] = [...this._live.values(), ...this._beginning];
    await oldest?.stop();
  }

  /**
   * Ask, and show the streamed answer.
   * @param {() => Answer} ask
   * @param {Item} [asked] the question, if it is new
   * @param {() => void} [onSent] called when the server has the question, or will not have it
   */
  async show(ask, asked, onSent = () => {}) {
    const { thread, page, signal } = this.conversation;
    const answer = ask();
    this._beginning.add(answer);
    answer.turn.then(onSent, onSent);
    const item = comingItem();
    if (!signal.aborted) thread.append(item);
    page.onChange(this.conversation);
    try {
      const turn = await answer.turn;
      this._live.set(turn.id, answer);
      asked?.forget?.();
      if (asked) Object.assign(asked.messages[0], { id: turn.user_message });
    } catch (error) {
      this._refused(error, item, asked, () => this.show(ask, asked));
      return;
    } finally {
      this._beginning.delete(answer);
      page.onChange(this.conversation);
    }
    if (!signal.aborted) await this._follow(answer, item, asked);
  }

  /** Show a turn that was begun elsewhere. @param {string} id */
  async join(id) {
    await Promise.allSettled([...this._beginning].map((answer) => answer.turn));
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
    await this._follow(answer, thread.append(comingItem()), asked);
  }

  /** Show the server's active path, if another one is shown. */
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
    const waiting = asked && !asked.messages[0].id ? this._waiting(answer, asked) : element("div");
    item.view.footer.append(waiting);
    const shown = () => {
      waiting.remove();
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
    page.onUpdated(this.conversation);
  }

  /**
   * Show that a question is queued, and let the user take it back.
   * @param {Answer} answer
   * @param {Item} asked
   */
  _waiting(answer, asked) {
    const { page } = this.conversation;
    const takeBack = () => answer.stop().then(() => page.putBack(asked.messages[0].content), page.onError);
    return element("div", { class: "waiting-turn" }, "Waits for the answer above.",
      textButton("Take it back", takeBack, { class: "link", "data-asks": true }));
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
    if (turn.queued_content && turn.status === "cancelled") return thread.remove([item, ...(asked ? [asked] : [])]);
    if (asked) asked.messages[0].id = turn.user_message; // one that has waited has none before
    item.messages = turn.messages.length ? turn.messages : [nothingSaid(id)];
    /** @type {any} */ (item.view).show(item.messages);
    footersOf(this.conversation).show(item, turn);
    thread.follow();
  }

  /** Say how the last question's turn has ended, if Claude has said nothing in it. */
  async tellOfUnanswered() {
    const { client, thread, signal, id } = this.conversation;
    const last = thread.items.at(-1);
    if (last?.kind !== "question") return;
    const { results } = await client.turns(/** @type {string} */ (id), { page_size: "20" });
    const turn = results.find((each) => each.user_message === last.messages[0].id);
    if (!turn?.finished_at || signal.aborted || thread.items.at(-1) !== last) return;
    const item = thread.append(answerItem([nothingSaid(turn.id)]));
    footersOf(this.conversation).show(item, turn);
    thread.follow();
  }

  /** @param {any} error @param {Item} item @param {Item | undefined} asked @param {() => void} again */
  _refused(error, item, asked, again) {
    const { thread, page } = this.conversation;
    const retry = () => {
      thread.cutFrom(item);
      again();
    };
    const edit = () => {
      asked?.forget?.();
      thread.cutFrom(asked);
      page.putBack(asked?.messages[0].content);
    };
    /** @type {[string, () => void][]} */
    const actions = [["Try again", retry]];
    if (asked) actions.push(["Edit the question", edit]);
    item.view.element.classList.remove("live");
    item.view.footer.replaceChildren(noticeView({ text: errorText(error), actions, tone: "error" }));
    thread.follow();
  }
}

/** Return the item of an answer that has been asked for. @returns {Item} */
function comingItem() {
  const item = answerItem();
  item.view.element.classList.add("live");
  return item;
}

/** Return what stands for the messages of a turn in which Claude has said nothing. @param {string} turn */
function nothingSaid(turn) {
  return { id: null, turn, role: "assistant", content: [] };
}
