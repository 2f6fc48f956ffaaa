/** Reviewing extracted data: approve, correct or reject it. */

import { exactJson } from "../../conversations/client/exact_json.js";
import { byId, element } from "../../conversations/front/elements.js";
import { errorText } from "../../conversations/front/notices.js";
import { isInexact } from "./data_view.js";
import { removed, replaced, valueAt } from "./pointers.js";
import { timeOf } from "../../conversations/front/times.js";

/** @typedef {import("../../conversations/client.js").Client} Client */

/** @typedef {import("./data_view.js").Edit} Edit */

/**
 * @typedef {object} Handlers
 * @property {(data: any, edit: Edit | null) => void} onShow data is to be shown, with fields to change it or without
 * @property {(extraction: any) => void} onDecided
 */

/** The buttons below the data. */
export class Review {
  /** @param {Client} client @param {Handlers} handlers */
  constructor(client, handlers) {
    this._client = client;
    this._handlers = handlers;
    this._form = byId("review");
    /** @type {any} */
    this._extraction = null;
    /** The data as it is corrected. @type {any} */
    this._data = null;
    this._form.addEventListener("click", (/** @type {any} */ event) => {
      const button = event.target.closest("button[type=button]");
      if (button) this._pressed(button.value);
    });
    this._form.addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      this._correct();
    });
  }

  /** @param {any} extraction that has ended */
  show(extraction) {
    this._extraction = extraction;
    const { review, final } = extraction;
    this._form.hidden = final === null;
    const decided = byId("decided");
    decided.hidden = !review;
    if (review) decided.textContent = said(review);
    const draft = this._draft();
    this._edit(draft !== undefined, draft);
  }

  /** @param {string} value */
  _pressed(value) {
    if (value === "cancel") this._forgetDraft();
    if (value === "correct" || value === "cancel") this._edit(value === "correct", this._extraction.final);
    else this._decide({ decision: /** @type {any} */ (value) });
  }

  /** @param {boolean} isEditing @param {any} data what the correction begins with */
  _edit(isEditing, data) {
    byId("review-problem").textContent = "";
    for (const button of this._form.querySelectorAll("button")) {
      button.hidden = ["cancel", "corrected"].includes(button.value) !== isEditing;
    }
    this._data = data;
    if (isEditing) this._showFields();
    else this._handlers.onShow(this._extraction.final, null);
  }

  _showFields() {
    this._handlers.onShow(this._data, {
      field: (path, value, schema) => this._field(path, value, schema),
      add: (path, item) => this._restructure(replaced(this._data, path, [...valueAt(this._data, path), item])),
      remove: (path) => this._restructure(removed(this._data, path)),
    });
  }

  /** Show data that has more or fewer fields. @param {any} data */
  _restructure(data) {
    this._change(data);
    this._showFields();
  }

  /** @param {any} data */
  _change(data) {
    this._data = data;
    sessionStorage.setItem(this._draftName, exactJson.stringify({ final: this._extraction.final, data }));
  }

  get _draftName() {
    return `correction:${this._extraction.id}`;
  }

  /** Return the unfinished correction from before a reload of the page, if it is of the same data. */
  _draft() {
    const stored = sessionStorage.getItem(this._draftName);
    if (!stored) return undefined;
    const { final, data } = exactJson.parse(stored);
    return exactJson.stringify(final) === exactJson.stringify(this._extraction.final) ? data : undefined;
  }

  _forgetDraft() {
    sessionStorage.removeItem(this._draftName);
  }

  /** @param {string} path @param {any} value @param {any} schema */
  _field(path, value, schema) {
    const isLong = typeof value === "string" && (value.length > 40 || value.includes("\n"));
    const oninput = () => this._change(replaced(this._data, path, meant(field.value, value, schema)));
    const properties = { "aria-label": path, oninput };
    /** @type {HTMLInputElement | HTMLTextAreaElement} */
    const field = isLong
      ? element("textarea", { rows: 2, ...properties })
      : element("input", { autocomplete: "off", ...properties });
    field.value = value === null ? "" : String(value);
    return field;
  }

  _correct() {
    if (hasInexact(this._data)) {
      byId("review-problem").textContent = "This browser rounds a number of the data: correct it by the API.";
      return;
    }
    this._decide({ decision: "corrected", data: this._data });
  }

  /** @param {{decision: "approved" | "rejected" | "corrected", data?: any}} decision */
  async _decide(decision) {
    try {
      const decided = await this._client.extractions.review(this._extraction.id, decision);
      this._forgetDraft();
      this._handlers.onDecided(decided);
    } catch (error) {
      byId("review-problem").textContent = errorText(/** @type {any} */ (error));
    }
  }
}

/**
 * Return the value that was meant by a text: a string where it was one, else what it says by its type.
 * @param {string} text @param {any} before @param {any} schema
 */
function meant(text, before, schema) {
  const isText = typeof before === "string" || (before === null && schema.type === "string");
  if (isText) return text === "" && before === null ? null : text;
  if (text.trim() === "") return null;
  if (/^(yes|true)$/i.test(text)) return true;
  if (/^(no|false)$/i.test(text)) return false;
  return Number.isNaN(Number(text)) ? text : exactJson.parse(numeral(text.trim()));
}

/** Return a number as JSON has it, digit for digit where it is a whole one. @param {string} text */
function numeral(text) {
  return /^-?(?:0|[1-9]\d*)$/.test(text) ? text : String(Number(text));
}

/** Whether the browser has rounded a number in data. @param {any} data @returns {boolean} */
function hasInexact(data) {
  return isInexact(data) || (typeof data === "object" && data !== null && Object.values(data).some(hasInexact));
}

/** @param {any} review */
function said({ decision, reviewer, created_at }) {
  return `${decision[0].toUpperCase()}${decision.slice(1)} by ${reviewer ?? "somebody"}, ${timeOf(created_at)}.`;
}
