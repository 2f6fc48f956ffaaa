/** Parsing the input of a tool call from the streamed JSON. */

const UNREADABLE = "INVALID_JSON"; // the only key of an object that replaces an unreadable input, as on the server
const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g;

/**
 * Return a tool call's input. Text that is not one JSON object, or has a repeated key, is kept under INVALID_JSON.
 * @param {string} text
 * @returns {Record<string, any>}
 */
export function toolInput(text) {
  try {
    const value = JSON.parse(text);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    if (isObject && !hasKeyTwice(text)) return value;
  } catch {
    // It was cut off, or is not JSON.
  }
  return { [UNREADABLE]: text };
}

/** @param {string} text valid JSON */
function hasKeyTwice(text) {
  /** @type {Set<string>[]} */
  const objects = [];
  let string = "";
  for (const [token] of text.matchAll(TOKENS)) {
    if (token === "{" || token === "[") objects.push(new Set());
    else if (token === "}" || token === "]") objects.pop();
    else if (token === ":" && !isNew(objects.at(-1), JSON.parse(string))) return true;
    else string = token;
  }
  return false;
}

/** @param {Set<string> | undefined} keys @param {string} key */
function isNew(keys, key) {
  if (keys?.has(key)) return false;
  keys?.add(key);
  return true;
}
