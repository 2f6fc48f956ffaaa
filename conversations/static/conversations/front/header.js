/** The header of a conversation: its title, tags and cost. */

import { byId, element, iconButton } from "./elements.js";
import { dollars } from "./money.js";

/** @typedef {import("./conversation.js").Conversation} Conversation */

const NAME = "New conversation";
const OTHERS = "Only its owner can change the title";

/** Shows the title of the present conversation, and lets the user change it. */
export class Header {
  constructor() {
    this._title = byId("title");
    this._tags = byId("tags");
    this._cost = byId("cost");
    this._model = byId("model");
    /** @type {Conversation | null} */
    this._conversation = null;
    this._title.addEventListener("change", () => this._rename());
    this._title.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      if (event.key === "Enter") this._title.blur();
      if (event.key === "Escape") this._title.value = this._conversation?.data.title ?? "";
    });
  }

  /** @param {Conversation} conversation @param {string} model the name of the one that answers */
  show(conversation, model) {
    this._conversation = conversation;
    const { title, tags = [], cost } = conversation.data;
    document.title = `${title || NAME} – Colloquy`;
    if (document.activeElement !== this._title) this._title.value = title || (conversation.id ? "" : NAME);
    this._title.readOnly = !(conversation.id && conversation.isOwn);
    this._title.title = conversation.isOwn ? "" : OTHERS;
    this._model.textContent = model;
    this._cost.textContent = conversation.id && cost !== undefined ? dollars(cost) : "";
    this._showTags(conversation.id ? tags : []);
  }

  /** Let the user type a tag. */
  addTag() {
    const input = element("input", { class: "tag", "aria-label": "A new tag", placeholder: "Tag", maxlength: 50 });
    const done = () => {
      const tag = input.value.trim();
      input.remove();
      if (tag) this._setTags([...(this._conversation?.data.tags ?? []), tag]);
    };
    input.addEventListener("keydown", (event) => {
      if (event.key === "Escape") input.value = "";
      if (event.key === "Enter" || event.key === "Escape") input.blur();
    });
    input.addEventListener("blur", done);
    this._tags.append(input);
    input.scrollIntoView({ block: "nearest", inline: "nearest" });
    input.focus();
  }

  /** @param {string[]} tags */
  _showTags(tags) {
    if (this._tags.contains(document.activeElement)) return;
    this._tags.replaceChildren(...tags.map((tag) => {
      const others = tags.filter((each) => each !== tag);
      const remove = () => iconButton("close", `Remove the tag ${tag}`, () => this._setTags(others));
      return element("span", { class: "tag" }, tag, Boolean(this._conversation?.isOwn) && remove());
    }));
  }

  /** @param {string[]} tags */
  _setTags(tags) {
    /** @type {HTMLElement} */ (document.activeElement)?.blur();
    this._conversation?.update({ tags: [...new Set(tags)] }).catch((error) => this._conversation?.page.onError(error));
  }

  _rename() {
    const title = this._title.value.trim();
    this._conversation?.update({ title }).catch((error) => this._conversation?.page.onError(error));
  }
}
