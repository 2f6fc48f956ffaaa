/** The places of values in the text of a JSON document. */

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\]:,]|[^\s{}[\]:,"]+/gs;

/**
 * Return the lines, from 1, at which the values of a JSON text begin, by their paths joined with "/".
 * @param {string} text which is valid
 * @returns {Map<string, number>}
 */
export function linesOf(text) {
  const tokens = [...text.matchAll(TOKEN)];
  /** @type {Map<string, number>} */
  const lines = new Map();
  let at = 0, line = 1, seen = 0;
  const lineAt = (/** @type {number} */ offset) => {
    for (; seen < offset; seen++) if (text[seen] === "\n") line++;
    return line;
  };
  const read = (/** @type {string} */ path) => {
    const token = tokens[at++];
    if (!lines.has(path)) lines.set(path, lineAt(token.index));
    if (token[0] === "{") readMembers(path);
    else if (token[0] === "[") readItems(path);
  };
  const readMembers = (/** @type {string} */ path) => {
    while (tokens[at][0] !== "}") {
      const name = tokens[at++];
      const below = `${path}/${JSON.parse(name[0])}`;
      lines.set(below, lineAt(name.index));
      at++; // the colon
      read(below);
      if (tokens[at][0] === ",") at++;
    }
    at++;
  };
  const readItems = (/** @type {string} */ path) => {
    for (let index = 0; tokens[at][0] !== "]"; index++) {
      read(`${path}/${index}`);
      if (tokens[at][0] === ",") at++;
    }
    at++;
  };
  read("");
  return lines;
}

/**
 * Return the line, from 1, of an error of JSON.parse; null if it names none.
 * @param {string} text
 * @param {string} message
 */
export function lineOfComplaint(text, message) {
  const line = /line (\d+)/.exec(message);
  if (line) return Number(line[1]);
  const position = /position (\d+)/.exec(message);
  if (position) return text.slice(0, Number(position[1])).split("\n").length;
  return /end of (JSON|data)/.test(message) ? text.split("\n").length : null;
}

/**
 * Return the path that names joined by dots lead to in a value, as far as they lead: names may have dots in them.
 * @param {any} value
 * @param {string} dotted
 * @returns {string[]}
 */
export function pathIn(value, dotted) {
  if (!dotted || typeof value !== "object" || value === null) return [];
  const names = Object.keys(value).filter((each) => dotted === each || dotted.startsWith(`${each}.`));
  const name = names.sort((a, b) => b.length - a.length)[0];
  return name === undefined ? [] : [name, ...pathIn(value[name], dotted.slice(name.length + 1))];
}
