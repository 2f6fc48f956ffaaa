/** The view of extracted data: fields with their values, lists of rows as tables. */

import { element, iconButton, textButton } from "../../conversations/front/elements.js";
import { below, stepsOf } from "./pointers.js";
import { evidenceWords, labelOf } from "./words.js";

/** @typedef {Record<string, any>} Fields */

/**
 * @typedef {object} Edit What values are changed by.
 * @property {(path: string, value: any, schema: any) => HTMLElement} field makes what a value is typed into
 * @property {(path: string, item: any) => void} add puts an item at the end of a list
 * @property {(path: string) => void} remove takes an item out of its list
 */

/**
 * @typedef {object} Shown What is known besides the data.
 * @property {boolean} isComing whether more may come
 * @property {Map<string, any>} evidence by path
 * @property {Map<string, string[]>} problems by path
 * @property {Edit | null} edit
 */

/** Draws data by its schema. */
export class DataView {
  /** @param {HTMLElement} place @param {Fields} schema @param {(path: string) => void} onChosen */
  constructor(place, schema, onChosen) {
    this._place = place;
    this._root = schema;
    this._onChosen = onChosen;
    /** @type {Shown} */
    this._shown = { isComing: true, evidence: new Map(), problems: new Map(), edit: null };
    place.addEventListener("click", (event) => this._clicked(event));
    place.addEventListener("keydown", (event) => this._key(event));
  }

  /** @param {any} data @param {Shown} shown */
  show(data, shown) {
    this._shown = shown;
    const focused = this._focusedPath;
    this._place.replaceChildren(this._value(data ?? undefined, this._root, ""));
    if (focused !== undefined) this._button(focused)?.focus({ preventScroll: true });
  }

  /**
   * Mark the value at a path as the one whose quote is shown.
   * @param {string | null} path
   * @returns {HTMLElement | null}
   */
  mark(path) {
    for (const each of this._place.querySelectorAll("[aria-pressed=true]")) each.setAttribute("aria-pressed", "false");
    const button = path === null ? null : this._button(path);
    button?.setAttribute("aria-pressed", "true");
    return button;
  }

  /** @param {string} path @returns {HTMLElement | null} */
  _button(path) {
    return this._place.querySelector(`button[data-path="${CSS.escape(path)}"]`);
  }

  get _focusedPath() {
    const { activeElement } = document;
    return this._place.contains(activeElement) ? /** @type {HTMLElement} */ (activeElement).dataset.path : undefined;
  }

  /** @param {Event} event */
  _clicked(event) {
    const button = /** @type {HTMLElement} */ (event.target).closest("button[data-path]");
    if (button) this._onChosen(/** @type {HTMLElement} */ (button).dataset.path ?? "");
  }

  /** Arrow keys go from value to value. @param {KeyboardEvent} event */
  _key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || this._focusedPath === undefined) return;
    const buttons = /** @type {HTMLElement[]} */ ([...this._place.querySelectorAll("button[data-path]")]);
    const next = buttons[buttons.findIndex((each) => each === document.activeElement) + step];
    if (!next) return;
    event.preventDefault();
    next.focus();
    this._onChosen(next.dataset.path ?? "");
  }

  /** @param {any} value @param {any} given @param {string} path @returns {HTMLElement} */
  _value(value, given, path) {
    const schema = this._resolved(given);
    if (Array.isArray(value)) return this._list(value, schema, path);
    const isObject = value === undefined ? Boolean(schema.properties) : typeof value === "object" && value !== null;
    return isObject ? this._group(value ?? {}, schema, path) : this._leaf(value, schema, path);
  }

  /** @param {Fields} value @param {Fields} schema @param {string} path */
  _group(value, schema, path) {
    const rows = this._names(value, schema).map((name) => {
      const property = own(schema.properties, name);
      const inner = this._value(own(value, name), property, below(path, name));
      const isWide = !inner.matches(".leaf, .texts");
      return element("div", { class: isWide ? "row wide" : "row" },
        element("dt", {}, property?.title ?? labelOf(name)), element("dd", {}, inner));
    });
    return element("dl", { class: "group" }, ...rows, ...this._problems(path));
  }

  /**
   * Return the names of an object's fields in the schema's order, and others after them.
   * @param {Fields} value @param {Fields} schema
   */
  _names(value, schema) {
    const known = Object.keys(schema.properties ?? {});
    const shown = this._shown.isComing ? known : known.filter((name) => Object.hasOwn(value, name));
    return [...shown, ...Object.keys(value).filter((name) => !known.includes(name))];
  }

  /** @param {any[]} items @param {Fields} schema @param {string} path @returns {HTMLElement} */
  _list(items, schema, path) {
    const itemSchema = this._resolved(schema.items);
    if (items.length && items.every(isRow)) return this._table(items, itemSchema, path);
    const isPlain = items.every((each) => typeof each !== "object" || each === null);
    const made = items.map((each, at) => element("li", {}, this._value(each, itemSchema, below(path, at)),
      this._remover(below(path, at))));
    const list = made.length ? element("ol", { class: isPlain ? "texts" : "blocks" }, ...made) : empty("None");
    const parts = [list, this._adder(path, itemSchema), ...this._problems(path)];
    return element("div", { class: isPlain ? "texts" : "list" }, ...parts);
  }

  /** @param {Fields[]} rows @param {Fields} schema @param {string} path */
  _table(rows, schema, path) {
    const names = [...new Set([...Object.keys(schema.properties ?? {}), ...rows.flatMap((row) => Object.keys(row))])];
    const isNumber = (/** @type {string} */ name) =>
      rows.some((row) => ["number", "bigint"].includes(typeof own(row, name)));
    const kind = (/** @type {string} */ name) => (isNumber(name) ? "number" : "");
    const head = names.map((name) =>
      element("th", { scope: "col", class: kind(name) }, own(schema.properties, name)?.title ?? labelOf(name)));
    const columns = names.map((name) => [name, kind(name)]);
    const body = rows.map((row, at) => this._row(row, schema, below(path, at), columns));
    const table = element("table", {}, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...body));
    const region = element("div", { class: "wide", tabindex: 0, role: "region", "aria-label": "Rows" }, table);
    return element("div", { class: "list" }, region, this._adder(path, schema), ...this._problems(path));
  }

  /** @param {Fields} row @param {Fields} schema @param {string} path @param {string[][]} columns names and classes */
  _row(row, schema, path, columns) {
    const cells = columns.map(([name, kind]) => {
      const cell = this._value(own(row, name), own(schema.properties, name), below(path, name));
      return element("td", { class: kind }, cell);
    });
    const remover = this._remover(path);
    return element("tr", {}, ...cells, remover && element("td", {}, remover));
  }

  /** Return a button that adds to a list, while values are changed. @param {string} path @param {Fields} schema */
  _adder(path, schema) {
    const { edit } = this._shown;
    const properties = { class: "link add", "data-list": path };
    return edit && textButton("Add one", () => edit.add(path, this._blank(schema)), properties);
  }

  /** Return a button that takes an item out of its list, while values are changed. @param {string} path */
  _remover(path) {
    const { edit } = this._shown;
    const number = Number(stepsOf(path).at(-1)) + 1;
    return edit && iconButton("close", `Remove number ${number}`, () => edit.remove(path));
  }

  /** Return what a new item begins with. @param {any} given @returns {any} */
  _blank(given) {
    const schema = this._resolved(given);
    if (schema.properties) {
      const blanks = Object.entries(schema.properties).map(([name, property]) => [name, this._blank(property)]);
      return Object.fromEntries(blanks);
    }
    return schema.type === "array" ? [] : schema.type === "string" ? "" : null;
  }

  /** @param {any} value @param {Fields} schema @param {string} path */
  _leaf(value, schema, path) {
    const { isComing, edit } = this._shown;
    if (value === undefined) return isComing ? coming() : empty("Nothing");
    const shown = value === null ? [empty("Nothing")] : this._choosable(value, path);
    const parts = edit ? [edit.field(path, value, schema)] : shown;
    return element("span", { class: "leaf" }, ...parts, ...this._problems(path));
  }

  /** @param {any} value @param {string} path */
  _choosable(value, path) {
    const status = this._shown.evidence.get(path)?.status;
    const { word, sentence } = evidenceWords(status);
    const title = this._shown.isComing ? null : sentence;
    const about = { class: `value ${status ?? "bare"}`, "data-path": path, "aria-pressed": "false", title };
    const button = element("button", { type: "button", ...about }, textOf(value));
    return [button, word ? element("small", { class: "badge" }, word) : null];
  }

  /** @param {string} path */
  _problems(path) {
    return (this._shown.problems.get(path) ?? []).map((message) => element("small", { class: "problem" }, message));
  }

  /** Return a schema without references and without the choice of null. @param {any} schema @returns {Fields} */
  _resolved(schema) {
    let found = schema;
    for (let hops = 0; hops < 20 && typeof found === "object" && found !== null; hops++) {
      if (typeof found.$ref === "string" && found.$ref.startsWith("#")) found = this._at(found.$ref.slice(1));
      else if (Array.isArray(found.anyOf) && found.anyOf.length) found = found.anyOf[0];
      else return found;
    }
    return {};
  }

  /** @param {string} pointer */
  _at(pointer) {
    const steps = pointer.split("/").slice(1).map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
    return steps.reduce((at, step) => at?.[step], /** @type {any} */ (this._root));
  }
}

/**
 * Return an object's own property: data may have any names, such as "constructor".
 * @param {any} object
 * @param {string} name
 */
function own(object, name) {
  return object && Object.hasOwn(object, name) ? object[name] : undefined;
}

/** Whether a value fits into a row of a table. @param {any} value */
function isRow(value) {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject && Object.values(value).every((each) => typeof each !== "object" || each === null);
}

/** Whether a number is too long for JavaScript, which has rounded it. @param {any} value */
export function isInexact(value) {
  return Number.isInteger(value) && !Number.isSafeInteger(value);
}

/** @param {any} value */
function textOf(value) {
  if (typeof value === "boolean") return value ? "Yes" : "No";
  if (isInexact(value)) return `about ${value}`;
  return value === "" ? "(empty)" : String(value);
}

/** @param {string} text */
function empty(text) {
  return element("span", { class: "leaf none quiet" }, text);
}

function coming() {
  return element("span", { class: "leaf coming" }, element("span", { class: "unseen" }, "not yet"));
}
