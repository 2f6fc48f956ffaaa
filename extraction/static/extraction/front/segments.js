/** Splitting a text into segments, each with the values that quote it. Offsets count code points, as in evidence. */

/** @typedef {{start: number, end: number, path: string}} Span */
/** @typedef {{text: string, paths: string[]}} Segment */

/**
 * Return a text in segments.
 * @param {string} text
 * @param {Span[]} spans
 * @returns {Segment[]}
 */
export function segmentsOf(text, spans) {
  const known = spans.filter(({ start, end }) => start < end);
  const offsets = [...new Set(known.flatMap(({ start, end }) => [start, end]))].sort((a, b) => a - b);
  const places = unitsOf(text, offsets);
  const begins = by(known, "start"), ends = by(known, "end");
  /** @type {Segment[]} */
  const segments = [];
  /** @type {Set<string>} */
  const open = new Set();
  let from = 0;
  for (const offset of [...offsets, Infinity]) {
    const to = places.get(offset) ?? text.length;
    if (to > from) segments.push({ text: text.slice(from, to), paths: [...open] });
    from = to;
    for (const { path } of ends.get(offset) ?? []) open.delete(path);
    for (const { path } of begins.get(offset) ?? []) open.add(path);
  }
  return segments;
}

/**
 * Return where code points stand in a string, whose own offsets count UTF-16 units: an emoji is one of the former and
 * two of the latter.
 * @param {string} text
 * @param {number[]} offsets ascending
 * @returns {Map<number, number>} those within the text
 */
function unitsOf(text, offsets) {
  /** @type {Map<number, number>} */
  const units = new Map();
  let point = 0, unit = 0;
  for (const offset of offsets) {
    for (; point < offset && unit < text.length; point++) unit += (text.codePointAt(unit) ?? 0) > 0xffff ? 2 : 1;
    units.set(offset, unit);
  }
  return units;
}

/** @param {Span[]} spans @param {"start" | "end"} side @returns {Map<number, Span[]>} */
function by(spans, side) {
  /** @type {Map<number, Span[]>} */
  const found = new Map();
  for (const span of spans) found.set(span[side], [...(found.get(span[side]) ?? []), span]);
  return found;
}
