/** Examples for Claude: content and the right data for it. */

import { element, iconButton } from "../../conversations/front/elements.js";

/** @typedef {{content: any, data: any}} Example */

/** The list of examples, to be edited. */
export class Examples {
  /** @param {HTMLElement} place */
  constructor(place) {
    this._place = place;
    /** The contents that were given, which may be in several blocks. @type {WeakMap<Element, any>} */
    this._given = new WeakMap();
  }

  /** @param {Example[]} examples */
  show(examples) {
    const rows = examples.map(({ content, data }) => row(textOf(content), JSON.stringify(data, null, 2)));
    this._place.replaceChildren(...rows);
    rows.forEach((each, at) => this._given.set(each, examples[at].content));
  }

  /** Add one, and let the user fill it in. */
  add() {
    const added = row("", "");
    this._place.append(added);
    added.querySelector("textarea")?.focus();
  }

  /** Return all of them. Throws Error where the data of one is no JSON. @returns {Example[]} */
  get all() {
    return [...this._place.children].map((each, at) => {
      const [content, data] = [...each.querySelectorAll("textarea")].map(({ value }) => value);
      try {
        const given = this._given.get(each);
        const isAsGiven = given !== undefined && textOf(given) === content;
        return { content: isAsGiven ? given : content, data: JSON.parse(data) };
      } catch (error) {
        throw new Error(`The data of example ${at + 1} is no JSON: ${/** @type {Error} */ (error).message}`);
      }
    });
  }
}

/** @param {any} content a string, or blocks of text */
function textOf(content) {
  return typeof content === "string" ? content : content.map((/** @type {any} */ { text }) => text).join("\n");
}

/** @param {string} content @param {string} data */
function row(content, data) {
  const remove = iconButton("close", "Remove this example", () => made.remove());
  const made = element("div", { class: "example" }, area("Content", content), area("Data, as JSON", data), remove);
  return made;
}

/** @param {string} label @param {string} value */
function area(label, value) {
  const made = element("textarea", { "aria-label": label, placeholder: label, rows: 3, spellcheck: "false" });
  made.value = value;
  return made;
}
