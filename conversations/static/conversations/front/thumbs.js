/** Rating an answer. */

import { announce, iconButton } from "./elements.js";

/** @typedef {import("../client.js").Client} Client */
/** @typedef {1 | -1} Rating */

/**
 * Return the buttons that rate a message. What the user said before is asked for when they come near.
 * @param {Client} client
 * @param {string} message
 */
export function thumbs(client, message) {
  const up = thumb("up", "A good answer", 1);
  const down = thumb("down", "A bad answer", -1);
  /** @type {Rating | null} */
  let rating = null;
  /** @param {Rating | null} given */
  const show = (given) => {
    rating = given;
    up.setAttribute("aria-pressed", String(given === 1));
    down.setAttribute("aria-pressed", String(given === -1));
  };
  const ask = once(() => client.get(`messages/${message}/feedback/`).then((found) => show(found.rating), () => {}));

  /** @param {"up" | "down"} name @param {string} label @param {Rating} value */
  function thumb(name, label, value) {
    const rate = async () => {
      const given = await client.rate(message, rating === value ? null : value);
      show(given.rating);
      announce(given.rating ? "Thank you for the feedback." : "The feedback is taken back.");
    };
    const properties = { "aria-pressed": "false", onpointerenter: () => ask(), onfocus: () => ask() };
    return iconButton(`thumb-${name}`, label, rate, properties);
  }
  return [up, down];
}

/** @param {() => void} act */
function once(act) {
  let done = false;
  return () => {
    if (!done) act();
    done = true;
  };
}
