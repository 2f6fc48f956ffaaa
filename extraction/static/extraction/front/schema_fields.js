/** Converting a JSON Schema to the fields of a form, and back. Other keywords of a field are kept unchanged. */

/** @typedef {Record<string, any>} Schema */

/**
 * @typedef {object} Field
 * @property {string} name
 * @property {Kind} kind
 * @property {boolean} required
 * @property {string} description
 * @property {string[]} choices of a choice
 * @property {Field[]} fields of a group, or of the rows of a table
 * @property {Kept} kept
 */

/**
 * @typedef {object} Kept What makes the same schema again of a field that was read from one.
 * @property {"anyOf" | "type" | "absent"} [optional] how the schema says that it may be missing
 * @property {Schema} [outer] keywords beside `anyOf`
 * @property {Schema} [inner] keywords beside the type
 * @property {Schema} [items] keywords beside the type of a list's items
 */

/**
 * @typedef {"text" | "number" | "integer" | "boolean" | "date" | "email" | "choice" | "list" | "table" | "group"} Kind
 */

/** @type {Record<Kind, string>} what users call them */
export const KINDS = {
  text: "Text", number: "Number", integer: "Whole number", date: "Date", boolean: "Yes or no", choice: "Choice",
  email: "E-mail", list: "List of texts", table: "List of rows", group: "Group",
};

/** @type {Partial<Record<Kind, Schema>>} */
const PLAIN = {
  text: { type: "string" }, number: { type: "number" }, integer: { type: "integer" }, boolean: { type: "boolean" },
  date: { type: "string", format: "date" }, email: { type: "string", format: "email" },
};

/** The form has no fields for a schema; its message says why. */
export class Inexpressible extends Error {}

/** Return a field as the form begins with it. @returns {Field} */
export function newField() {
  return { name: "", kind: "text", required: true, description: "", choices: [], fields: [], kept: {} };
}

/**
 * Return the fields of a schema, and its keywords beside them. Throws Inexpressible.
 * @param {any} schema
 * @returns {{fields: Field[], kept: Schema}}
 */
export function fieldsOf(schema) {
  if (!isObject(schema) || schema.type !== "object" || !isObject(schema.properties)) {
    throw new Inexpressible("The form shows schemas of objects with properties; this one is edited as JSON.");
  }
  const { type: _type, properties: _properties, required: _required, ...kept } = schema;
  const found = { fields: rowsOf(schema, ""), kept };
  if (!isSame(schemaOf(found.fields, kept), schema)) {
    throw new Inexpressible("This schema says more than the form can show; it is edited as JSON.");
  }
  return found;
}

/**
 * Return the schema of an object with such fields.
 * @param {Field[]} fields
 * @param {Schema} [kept] its keywords beside them
 * @returns {Schema}
 */
export function schemaOf(fields, kept = { additionalProperties: false }) {
  const required = fields.filter((each) => each.required || each.kept.optional !== "absent").map(({ name }) => name);
  const properties = Object.fromEntries(fields.map((each) => [each.name, propertyOf(each)]));
  return { type: "object", properties, ...(required.length ? { required } : {}), ...kept };
}

/** @param {Schema} schema @param {string} path @returns {Field[]} */
function rowsOf(schema, path) {
  return Object.entries(schema.properties).map(([name, property]) =>
    fieldOf(name, property, (schema.required ?? []).includes(name), `${path}/${name}`));
}

/** @param {string} name @param {any} property @param {boolean} isRequired @param {string} path @returns {Field} */
function fieldOf(name, property, isRequired, path) {
  if (!isObject(property)) throw unfit(path);
  const { core, optional, outer } = nullable(property);
  if (optional && !isRequired) throw unfit(path);
  const { type, format, enum: choices, items, properties, required: _required, ...rest } = core;
  const kind = kindOf(core, path);
  const shown = outer.description === undefined ? rest : outer;
  const description = typeof shown.description === "string" ? shown.description : "";
  const inner = kind === "text" && format !== undefined ? { ...rest, format } : rest;
  /** @type {Kept} */
  const kept = { optional: optional ?? (isRequired ? undefined : "absent"), outer, inner };
  if (kind === "list" || kind === "table") kept.items = kind === "list" ? without(items, "type") : beside(items);
  const of = kind === "group" ? core : items;
  const fields = kind === "group" || kind === "table" ? rowsOf(of, path) : [];
  return { name, kind, required: isRequired && !optional, description, choices: choices ?? [], fields, kept };
}

/** @param {Schema} property @returns {{core: Schema, optional?: "anyOf" | "type", outer: Schema}} */
function nullable(property) {
  const { anyOf, ...outer } = property;
  if (Array.isArray(anyOf) && anyOf.length === 2 && isSame(anyOf[1], { type: "null" }) && isObject(anyOf[0])) {
    return { core: anyOf[0], optional: "anyOf", outer };
  }
  if (Array.isArray(property.type) && property.type.length === 2 && property.type[1] === "null") {
    return { core: { ...property, type: property.type[0] }, optional: "type", outer: {} };
  }
  return { core: property, outer: {} };
}

/** @param {Schema} core @param {string} path @returns {Kind} */
function kindOf(core, path) {
  const { type, format, enum: choices, items, properties } = core;
  const isRow = (/** @type {any} */ each) => isObject(each) && each.type === "object" && isObject(each.properties);
  if (choices) {
    if (type === "string" && choices.every((/** @type {any} */ each) => typeof each === "string")) return "choice";
  } else if (type === "string") return format === "date" || format === "email" ? format : "text";
  else if (type === "number" || type === "integer" || type === "boolean") return type;
  else if (type === "object" && isObject(properties)) return "group";
  else if (type === "array" && isRow(items)) return "table";
  else if (type === "array" && isObject(items) && items.type === "string") return "list";
  throw unfit(path);
}

/** @param {Field} field @returns {Schema} */
function propertyOf(field) {
  const { required, description, kept } = field;
  const optional = required ? undefined : kept.optional ?? "anyOf";
  const { description: _outer, ...outer } = kept.outer ?? {};
  const { description: told, ...inner } = kept.inner ?? {};
  const core = { ...coreOf(field), ...inner };
  const isOutside = optional === "anyOf" && (kept.outer?.description !== undefined || told === undefined);
  const said = description ? { description } : {};
  if (optional !== "anyOf") return { ...core, ...(optional === "type" ? { type: [core.type, "null"] } : {}), ...said };
  const shown = isOutside ? { ...core, ...(told === undefined ? {} : { description: told }) } : { ...core, ...said };
  return { anyOf: [shown, { type: "null" }], ...outer, ...(isOutside ? said : {}) };
}

/** @param {Field} field @returns {Schema} */
function coreOf({ kind, choices, fields, kept }) {
  if (kind === "choice") return { type: "string", enum: choices };
  if (kind === "list") return { type: "array", items: { type: "string", ...kept.items } };
  if (kind === "table") return { type: "array", items: schemaOf(fields, kept.items) };
  if (kind === "group") return objectOf(fields, kept);
  return { ...PLAIN[kind] };
}

/** @param {Field[]} fields @param {Kept} kept the keywords beside are added by the caller, where there are any */
function objectOf(fields, kept) {
  return schemaOf(fields, kept.inner ? {} : undefined);
}

/** @param {Schema} schema */
function beside(schema) {
  const { type: _type, properties: _properties, required: _required, ...rest } = schema;
  return rest;
}

/** @param {Schema} schema @param {string} key */
function without(schema, key) {
  const { [key]: _left, ...rest } = schema;
  return rest;
}

/** @param {string} path */
function unfit(path) {
  return new Inexpressible(`The form has no field for ${path}; this schema is edited as JSON.`);
}

/** @param {any} value @returns {value is Record<string, any>} */
function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Tell whether two schemas are the same, whatever the order of their keys and of what is required.
 * @param {any} one
 * @param {any} other
 * @returns {boolean}
 */
export function isSame(one, other) {
  return canonical(one) === canonical(other);
}

/** @param {any} value @returns {string} */
function canonical(value) {
  return JSON.stringify(value, (key, each) => {
    if (key === "required" && Array.isArray(each)) return [...each].sort();
    if (!isObject(each)) return each;
    return Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
