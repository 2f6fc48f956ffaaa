/** JSON Pointers: the paths of values in data. */

/** @param {string} path @param {string | number} step */
export function below(path, step) {
  return `${path}/${String(step).replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

/** @param {string} path @returns {string[]} */
export function stepsOf(path) {
  return path.split("/").slice(1).map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/**
 * Return a copy of data with another value at a path.
 * @param {any} data
 * @param {string} path
 * @param {any} value
 */
export function replaced(data, path, value) {
  const steps = stepsOf(path);
  if (!steps.length) return value;
  const copy = structuredClone(data);
  const parent = steps.slice(0, -1).reduce((at, step) => at[step], copy);
  parent[steps.at(-1) ?? ""] = value;
  return copy;
}

/** Return the value at a path of data. @param {any} data @param {string} path @returns {any} */
export function valueAt(data, path) {
  return stepsOf(path).reduce((at, step) => at[step], data);
}

/** Return a copy of data without an item of a list. @param {any} data @param {string} path of the item */
export function removed(data, path) {
  const list = path.slice(0, path.lastIndexOf("/"));
  const at = Number(stepsOf(path).at(-1));
  return replaced(data, list, valueAt(data, list).toSpliced(at, 1));
}
