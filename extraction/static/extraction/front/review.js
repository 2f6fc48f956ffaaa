/** Deciding on extracted data: it is approved, corrected or rejected. */

import { byId, element } from "../../conversations/front/elements.js";
import { errorText } from "../../conversations/front/notices.js";
import { isInexact } from "./data_view.js";
import { replaced } from "./pointers.js";
import { timeOf } from "./times.js";

/** @typedef {import("../../conversations/client.js").Client} Client */

/** @typedef {import("./data_view.js").Edit} Edit */

/**
 * @typedef {object} Handlers
 * @property {(edit: Edit | null) => void} onEdit the values are to be changed, or no longer so
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
    /** By path: what is typed, and what it meant before. @type {Map<string, {field: any, value: any, schema: any}>} */
    this._fields = new Map();
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
    this._edit(false);
  }

  /** @param {string} value */
  _pressed(value) {
    if (value === "correct" || value === "cancel") this._edit(value === "correct");
    else this._decide({ decision: /** @type {any} */ (value) });
  }

  /** @param {boolean} isEditing */
  _edit(isEditing) {
    byId("review-problem").textContent = "";
    for (const button of this._form.querySelectorAll("button")) {
      button.hidden = ["cancel", "corrected"].includes(button.value) !== isEditing;
    }
    this._fields.clear();
    this._handlers.onEdit(isEditing ? (path, value, schema) => this._field(path, value, schema) : null);
  }

  /** @param {string} path @param {any} value @param {any} schema */
  _field(path, value, schema) {
    const isLong = typeof value === "string" && (value.length > 40 || value.includes("\n"));
    const field = isLong ? element("textarea", { rows: 2 }) : element("input", { autocomplete: "off" });
    field.setAttribute("aria-label", path);
    field.value = value === null ? "" : String(value);
    this._fields.set(path, { field, value, schema });
    return field;
  }

  _correct() {
    if ([...this._fields.values()].some(({ value }) => isInexact(value))) {
      byId("review-problem").textContent = "A number is too long to be kept by this page: correct it by the API.";
      return;
    }
    let data = this._extraction.final;
    for (const [path, { field, value, schema }] of this._fields) {
      const before = value === null ? "" : String(value);
      if (field.value !== before) data = replaced(data, path, meant(field.value, value, schema));
    }
    this._decide({ decision: "corrected", data });
  }

  /** @param {{decision: "approved" | "rejected" | "corrected", data?: any}} decision */
  async _decide(decision) {
    try {
      this._handlers.onDecided(await this._client.extractions.review(this._extraction.id, decision));
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
  return Number.isNaN(Number(text)) ? text : Number(text);
}

/** @param {any} review */
function said({ decision, reviewer, created_at }) {
  return `${decision[0].toUpperCase()}${decision.slice(1)} by ${reviewer ?? "somebody"}, ${timeOf(created_at)}.`;
}
