/** A form for the results of the client's tools, which the user fills in. */

import { pause } from "../client/pauses.js";
import { announce, element, textButton } from "./elements.js";
import { errorText } from "./notices.js";

/** @typedef {import("../client.js").Answer} Answer */
/** @typedef {import("./conversation.js").Conversation} Conversation */
/** @typedef {import("./block_views.js").Block} Block */

const LOOK_EVERY = 500; // milliseconds, until the server says that the turn waits

/** Asks the user for the results of an answer's calls while the turn waits for them. */
export class ToolResults {
  /**
   * @param {Conversation} conversation
   * @param {Answer} answer
   * @param {HTMLElement} footer of the answer: the form stands before it
   */
  constructor(conversation, answer, footer) {
    this._conversation = conversation;
    this._answer = answer;
    this._footer = footer;
    this._open = ""; // the ids of the calls that have no result yet
    /** @type {HTMLFormElement | undefined} */
    this._form = undefined;
  }

  /** Ask for the results of open calls. Called whenever the answer has grown. */
  update() {
    const { ended, messages, openCalls } = this._answer.state;
    const calls = !ended && messages.at(-1)?.stopped ? openCalls : [];
    const open = calls.map((call) => call.id).join(" ");
    if (open === this._open) return;
    this._open = open;
    this._form?.remove();
    this._footer.parentElement?.classList.remove("waiting");
    if (open) this._askFor(calls, open).catch((error) => announce(errorText(error)));
  }

  /** @param {Block[]} calls @param {string} open */
  async _askFor(calls, open) {
    const { client, signal } = this._conversation;
    const { id } = await this._answer.turn;
    let turn = await client.turn(id);
    while (turn.status === "running" && open === this._open) { // its own tools may have to run first
      await pause(LOOK_EVERY, signal);
      turn = await client.turn(id);
    }
    if (open !== this._open || !turn.actions.includes("tool_results")) return;
    this._form = this._formFor(calls);
    this._footer.before(this._form);
    this._footer.parentElement?.classList.add("waiting");
    announce("Claude is waiting for tool results.");
  }

  /** @param {Block[]} calls */
  _formFor(calls) {
    const problem = element("p", { role: "alert" });
    const form = element("form", { class: "notice results", "aria-label": "Results of tools", "data-asks": true },
      element("p", {}, "Claude is waiting for the results of its tools."), ...calls.map(fieldsOf), problem,
      element("div", { class: "actions" }, element("button", { class: "button primary" }, "Send the results"),
        textButton("Stop", () => this._answer.stop())));
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      problem.textContent = "";
      await this._handIn(form, calls).catch((error) => (problem.textContent = errorText(error)));
    });
    return form;
  }

  /** @param {HTMLFormElement} form @param {Block[]} calls */
  async _handIn(form, calls) {
    const given = new FormData(form);
    const results = calls.map(({ id }) => ({
      tool_use_id: id, content: String(given.get(`result-${id}`)), is_error: given.has(`failed-${id}`),
    }));
    const { id } = await this._answer.turn;
    await this._conversation.client.toolResults(id, results);
  }
}

/** Return the fields for the result of a call. @param {Block} call */
function fieldsOf({ id, name, input }) {
  const label = `Result of ${name}, text or JSON`;
  return element("fieldset", {}, element("legend", {}, name),
    element("pre", { tabindex: 0, "aria-label": `Input of ${name}` }, JSON.stringify(input, null, 2)),
    element("textarea", { name: `result-${id}`, rows: 3, "aria-label": label, placeholder: "Text or JSON" }),
    element("label", { class: "check" }, element("input", { type: "checkbox", name: `failed-${id}` }), " It failed"));
}
