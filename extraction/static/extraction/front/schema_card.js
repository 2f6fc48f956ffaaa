/** The schema of an extraction: chosen or written, as a form or as JSON, and saved under a name. */

import { byId } from "../../conversations/front/elements.js";
import { Examples } from "./examples.js";
import { FieldsForm } from "./fields_form.js";
import { JsonEditor } from "./json_editor.js";
import { lineOfComplaint, linesOf, pathIn } from "./json_places.js";
import { Inexpressible, fieldsOf, isSame, newField, schemaOf } from "./schema_fields.js";

/** @typedef {Record<string, any>} Fields */
/** @typedef {{name: string, json_schema: Fields, instructions: string, examples: any[]}} Written */

/** The schema can't be used yet; the message says why. */
export class Unusable extends Error {}

/** The editors of a schema, kept in step. */
export class SchemaCard {
  constructor() {
    this._form = new FieldsForm(byId("fields"), () => this._formChanged());
    this._json = new JsonEditor(byId("json"), () => this._problem(""));
    this._examples = new Examples(byId("examples"));
    this._instructions = byId("instructions");
    this._name = byId("schema-name");
    /** Keywords of the schema beside its fields. @type {Fields | undefined} */
    this._kept = undefined;
    this._wishesForm = true;
    this._isForm = true;
    /** The version that was loaded. @type {(Written & {id: string}) | null} */
    this._stored = null;
    byId("add-field").addEventListener("click", () => this._form.add());
    byId("add-example").addEventListener("click", () => this._examples.add());
    for (const input of document.querySelectorAll("[name=editor]")) {
      input.addEventListener("change", () => this._switch(/** @type {HTMLInputElement} */ (input).value === "form"));
    }
  }

  /**
   * Show a schema to go on from.
   * @param {Partial<Written>} schema
   * @param {string | null} [id] where it is stored as it is
   */
  load(schema, id = null) {
    const { name = "", json_schema = null, instructions = "", examples = [] } = schema;
    this._stored = id ? { name, json_schema: json_schema ?? {}, instructions, examples, id } : null;
    this._name.value = name;
    this._instructions.value = instructions;
    this._examples.show(examples);
    byId("guidance").open = Boolean(instructions || examples.length);
    this._problem("");
    byId("saved").textContent = "";
    const whole = json_schema ?? schemaOf([newField()]);
    this._json.text = JSON.stringify(whole, null, 2);
    this._showForm(this._wishesForm);
  }

  /** Return what is written. Throws Unusable. @returns {Written} */
  get written() {
    const json_schema = this._schema();
    const examples = this._told(() => this._examples.all);
    return { name: this._name.value.trim(), json_schema, instructions: this._instructions.value, examples };
  }

  /**
   * Return the schema for a request: the id of a stored one, or the schema itself. Throws Unusable.
   * @returns {string | Fields}
   */
  get reference() {
    const written = this.written;
    if (this._stored && isSame(content(this._stored), content(written))) return this._stored.id;
    if (!written.instructions.trim() && !written.examples.length) return written.json_schema;
    byId("schema-name").focus();
    return this._complain("Instructions and examples belong to a schema that has a name: give it one, and save it.");
  }

  /**
   * Show an error of the server at its place.
   * @param {any} error an ApiError
   * @returns {boolean} whether it is about the schema
   */
  showError(error) {
    const [place, message] = Object.entries(error.details ?? {}).find(([key]) => /^(json_)?schema\b/.test(key)) ?? [];
    if (place === undefined) return false;
    const dotted = place.replace(/^(json_)?schema\.?/, "");
    const path = pathIn(this._schema(), dotted);
    this._problem(`${path.length ? `${path.join(" › ")}: ` : ""}${message}`);
    const fields = path.filter((_, at) => path[at - 1] === "properties");
    const isShown = this._isForm && this._form.mark(fields.map((each) => `/${each}`).join(""));
    if (!isShown) this._showForm(false);
    const lines = linesOf(this._json.text);
    this._json.mark(path.length ? lines.get(`/${path.join("/")}`) ?? null : 1);
    return true;
  }

  /** @returns {Fields} */
  _schema() {
    if (!this._isForm) return this._parsed();
    const problem = this._form.problem;
    if (problem) {
      this._form.mark(problem.path);
      return this._complain(problem.message);
    }
    return schemaOf(this._form.fields, this._kept);
  }

  /** @returns {Fields} */
  _parsed() {
    try {
      const parsed = JSON.parse(this._json.text);
      if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) return parsed;
    } catch (error) {
      const { message } = /** @type {Error} */ (error);
      const line = lineOfComplaint(this._json.text, message);
      this._json.mark(line);
      return this._complain(`${line ? `Line ${line}: ` : ""}This is no JSON: ${message}`);
    }
    return this._complain("A schema is a JSON object.");
  }

  /** @template T @param {() => T} make @returns {T} */
  _told(make) {
    try {
      return make();
    } catch (error) {
      byId("guidance").open = true;
      return this._complain(/** @type {Error} */ (error).message);
    }
  }

  /** @param {string} message @returns {never} */
  _complain(message) {
    this._problem(message);
    throw new Unusable(message);
  }

  /** @param {string} message */
  _problem(message) {
    byId("schema-problem").textContent = message;
    if (message) byId("schema-problem").scrollIntoView({ block: "nearest" });
  }

  _formChanged() {
    this._problem("");
    this._form.mark("");
    if (!this._form.problem) this._json.text = JSON.stringify(schemaOf(this._form.fields, this._kept), null, 2);
  }

  /** @param {boolean} toForm as the user wishes */
  _switch(toForm) {
    try {
      if (!toForm) this._schema();
      else this._parsed();
      this._problem("");
      this._wishesForm = toForm;
      this._showForm(toForm);
    } catch (error) {
      if (!(error instanceof Unusable)) throw error;
      this._choose();
    }
  }

  /** Show the form, where it can express the schema, or the JSON. @param {boolean} wished */
  _showForm(wished) {
    const why = wished ? this._fill() : "";
    this._isForm = wished && !why;
    byId("json-only").textContent = why;
    byId("json-only").hidden = !why;
    byId("schema-form").hidden = !this._isForm;
    byId("schema-json").hidden = this._isForm;
    this._json.mark(null);
    this._choose();
  }

  _choose() {
    const value = this._isForm ? "form" : "json";
    for (const input of /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll("[name=editor]"))) {
      input.checked = input.value === value;
    }
  }

  /** Fill the form from the JSON; return why that can't be done, or nothing. */
  _fill() {
    try {
      const { fields, kept } = fieldsOf(JSON.parse(this._json.text));
      this._kept = kept;
      this._form.show(fields);
      return "";
    } catch (error) {
      if (error instanceof Inexpressible) return error.message;
      throw error;
    }
  }
}

/** @param {Written} written */
function content({ json_schema, instructions, examples }) {
  return { json_schema, instructions, examples };
}
