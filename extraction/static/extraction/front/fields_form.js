/** The fields of a schema as a form: their names, types, and whether they are required. */

import { element, iconButton, textButton } from "../../conversations/front/elements.js";
import { KINDS, newField } from "./schema_fields.js";

/** @typedef {import("./schema_fields.js").Field} Field */
/** @typedef {import("./schema_fields.js").Kind} Kind */

const DEEPEST = 3; // of fields within fields
/** @type {Kind[]} */
const NESTED = ["group", "table"];

/** A list of fields, and below groups and lists of rows those of theirs. */
export class FieldsForm {
  /** @param {HTMLElement} place @param {() => void} onChange */
  constructor(place, onChange) {
    this._place = place;
    this._onChange = onChange;
    /** @type {Field[]} */
    this.fields = [];
  }

  /** @param {Field[]} fields */
  show(fields) {
    this.fields = fields;
    this._draw();
  }

  /** Add a field at the end, and let the user name it. */
  add() {
    this._add(this.fields);
  }

  /** Return what is wrong with the fields' names, or null. @returns {{path: string, message: string} | null} */
  get problem() {
    return problemOf(this.fields, "");
  }

  /**
   * Show that something is wrong with a field, or with what is below it.
   * @param {string} path of names, each after "/"
   * @returns {boolean} whether there is such a field
   */
  mark(path) {
    for (const each of this._place.querySelectorAll("[aria-invalid]")) each.removeAttribute("aria-invalid");
    const fitting = [...walk(this.fields, "")].filter(([each]) => `${path}/`.startsWith(`${each}/`));
    const found = fitting.at(-1);
    if (found) this._inputOf(found[1])?.setAttribute("aria-invalid", "true");
    return Boolean(found);
  }

  _draw() {
    /** @type {Map<Field, HTMLElement>} */
    this._items = new Map();
    this._place.replaceChildren(...this.fields.map((field) => this._item(this.fields, field, 1)));
  }

  /** @param {Field} field */
  _inputOf(field) {
    return this._items?.get(field)?.querySelector("input");
  }

  /** @param {Field[]} fields */
  _add(fields) {
    const field = newField();
    fields.push(field);
    this._draw();
    this._inputOf(field)?.focus();
    this._onChange();
  }

  /** @param {Field[]} siblings @param {Field} field @param {number} depth @returns {HTMLElement} */
  _item(siblings, field, depth) {
    const remove = iconButton("close", "Remove this field", () => this._remove(siblings, field));
    const parts = [this._name(field), this._kind(field, depth), this._required(field), remove];
    const row = element("div", { class: "row" }, ...parts);
    const below = field.kind === "group" || field.kind === "table";
    const item = element("li", {}, row, this._about(field),
      field.kind === "choice" && this._choices(field), below && this._below(field, depth));
    this._items?.set(field, item);
    return item;
  }

  /** @param {Field} field */
  _name(field) {
    const oninput = (/** @type {any} */ { target }) => {
      field.name = target.value.trim();
      this._onChange();
    };
    return textInput(field.name, { "aria-label": "Name", placeholder: "name", autocapitalize: "none", oninput });
  }

  /** @param {Field} field @param {number} depth */
  _kind(field, depth) {
    const kinds = /** @type {[Kind, string][]} */ (Object.entries(KINDS));
    const onchange = (/** @type {any} */ { target }) => {
      field.kind = target.value;
      const { optional } = field.kept;
      field.kept = { optional };
      if (!field.fields.length) field.fields = [newField()];
      this._draw();
      this._items?.get(field)?.querySelector("select")?.focus();
      this._onChange();
    };
    const isOffered = (/** @type {Kind} */ kind) => depth < DEEPEST || kind === field.kind || !NESTED.includes(kind);
    const offered = kinds.filter(([kind]) => isOffered(kind));
    return element("select", { "aria-label": "Kind", onchange },
      ...offered.map(([kind, label]) => element("option", { value: kind, selected: kind === field.kind }, label)));
  }

  /** @param {Field} field */
  _required(field) {
    const onchange = (/** @type {any} */ { target }) => {
      field.required = target.checked;
      this._onChange();
    };
    const box = element("input", { type: "checkbox", checked: field.required, onchange });
    return element("label", { class: "check", title: "Whether every document has it" }, box, "Required");
  }

  /** @param {Field} field */
  _about(field) {
    const oninput = (/** @type {any} */ { target }) => {
      field.description = target.value;
      this._onChange();
    };
    const placeholder = "What it means (optional)";
    return textInput(field.description, { class: "about", "aria-label": "Description", placeholder, oninput });
  }

  /** @param {Field} field */
  _choices(field) {
    const oninput = (/** @type {any} */ { target }) => {
      const given = target.value.split(",").map((/** @type {string} */ each) => each.trim());
      field.choices = [...new Set(given.filter(Boolean))];
      this._onChange();
    };
    const placeholder = "Choices, with commas between them";
    return textInput(field.choices.join(", "), { class: "about", "aria-label": "Choices", placeholder, oninput });
  }

  /** @param {Field} field @param {number} depth */
  _below(field, depth) {
    const items = field.fields.map((each) => this._item(field.fields, each, depth + 1));
    const add = textButton("Add a field", () => this._add(field.fields), { class: "link" });
    const label = `Fields of ${field.name}`;
    return element("div", { class: "below" }, element("ol", { class: "fields", "aria-label": label }, ...items), add);
  }

  /** @param {Field[]} siblings @param {Field} field */
  _remove(siblings, field) {
    const at = siblings.indexOf(field);
    siblings.splice(at, 1);
    this._draw();
    const next = siblings[at] ?? siblings[at - 1];
    if (next) this._inputOf(next)?.focus();
    this._onChange();
  }
}

/** @param {string} value @param {Record<string, any>} properties */
function textInput(value, properties) {
  const input = element("input", { autocomplete: "off", spellcheck: "false", ...properties });
  input.value = value;
  return input;
}

/**
 * Yield all fields with their paths, each before those below it.
 * @param {Field[]} fields
 * @param {string} above
 * @returns {Generator<[string, Field]>}
 */
function* walk(fields, above) {
  for (const field of fields) {
    const path = `${above}/${field.name}`;
    yield [path, field];
    if (NESTED.includes(field.kind)) yield* walk(field.fields, path);
  }
}

/** @param {Field[]} fields @param {string} above @returns {{path: string, message: string} | null} */
function problemOf(fields, above) {
  const names = new Set();
  for (const { name, kind, choices, fields: below } of fields) {
    const path = `${above}/${name}`;
    if (!name) return { path, message: "A field has no name." };
    if (names.has(name)) return { path, message: `Two fields are called ${name}.` };
    if (kind === "choice" && !choices.length) return { path, message: `${name} has no choices.` };
    const inside = NESTED.includes(kind) ? problemOf(below, path) : null;
    if (inside) return inside;
    names.add(name);
  }
  return fields.length ? null : { path: above, message: "There are no fields yet." };
}
