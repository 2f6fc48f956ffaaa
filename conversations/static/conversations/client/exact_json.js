/** JSON whose integers keep their digits: those that JavaScript would round become BigInts. */

const LONG = /\d{16}/; // fewer digits are exact
const WHOLE = /^-?\d+$/;

/** Parses and encodes JSON as `JSON` does; exactly if the engine provides a value's source text, else rounded. */
export const exactJson = {
  /** @param {string} text @returns {any} */
  parse(text) {
    return LONG.test(text) ? JSON.parse(text, /** @type {any} */ (exact)) : JSON.parse(text);
  },

  /** @param {any} value @param {number} [space] */
  stringify(value, space) {
    return JSON.stringify(value, (_, each) => (typeof each === "bigint" ? raw(each) : each), space);
  },
};

/** @param {string} _ @param {any} value @param {{source?: string}} [context] */
function exact(_, value, context) {
  const isRounded = Number.isInteger(value) && !Number.isSafeInteger(value);
  return isRounded && WHOLE.test(context?.source ?? "") ? BigInt(String(context?.source)) : value;
}

/** @param {bigint} value */
function raw(value) {
  return /** @type {any} */ (JSON).rawJSON(String(value));
}
