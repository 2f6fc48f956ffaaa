/** Formatting times and durations. */

const TODAY = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", hour12: false });
const EARLIER = new Intl.DateTimeFormat("en", { day: "numeric", month: "short" });
const MOMENT = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short", hourCycle: "h23" });

/** @param {string} iso */
export function timeOf(iso) {
  const time = new Date(iso);
  return time.toDateString() === new Date().toDateString() ? TODAY.format(time) : EARLIER.format(time);
}

/** Return a date and time in full, in the reader's own zone. @param {string} iso */
export function momentOf(iso) {
  return MOMENT.format(new Date(iso));
}

/** @param {number} seconds */
export function durationOf(seconds) {
  if (seconds < 1) return "less than a second";
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}
