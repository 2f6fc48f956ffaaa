/** Feedback on an answer: a rating and a comment. */

import { announce, element, iconButton } from "./elements.js";

/** @typedef {import("../client.js").Client} Client */
/** @typedef {1 | -1} Rating */
/** @typedef {{ rating: Rating | null, comment: string }} Feedback */

/**
 * Return the buttons that rate a message. What the user said before is asked for when they come near. The field for a
 * comment comes and goes with a rating: when a page gets one form more, some browsers go through all of it to see what
 * they could fill in, and that takes seconds in a long conversation.
 * @param {Client} client
 * @param {string} message
 */
export function thumbs(client, message) {
  const up = thumb("up", "Good answer", 1);
  const down = thumb("down", "Bad answer", -1);
  const label = "Why? (optional)";
  const comment = element("input", { type: "text", maxlength: 10_000, "aria-label": label, placeholder: label });
  const send = element("button", { type: "submit", class: "button" }, "Send");
  const why = element("form", { class: "why", onsubmit: say }, comment, send);
  /** @type {Feedback} */
  let given = { rating: null, comment: "" };
  /** @param {Feedback} found */
  const show = (found) => {
    given = found;
    up.setAttribute("aria-pressed", String(found.rating === 1));
    down.setAttribute("aria-pressed", String(found.rating === -1));
    comment.value = found.comment;
  };
  const ask = once(() => client.get(`messages/${message}/feedback/`).then(show, () => {}));

  /** @param {"up" | "down"} name @param {string} label @param {Rating} value */
  function thumb(name, label, value) {
    const rate = async () => {
      const rating = given.rating === value ? null : value;
      show(await client.rate(message, rating, rating ? given.comment : ""));
      if (rating) down.parentElement?.append(why);
      else why.remove();
      why.scrollIntoView({ block: "nearest" });
      announce(rating ? "Thank you for the feedback. You can say why." : "The feedback is removed.");
    };
    const properties = { "aria-pressed": "false", onpointerenter: () => ask(), onfocus: () => ask() };
    return iconButton(`thumb-${name}`, label, rate, properties);
  }

  /** @param {SubmitEvent} event */
  async function say(event) {
    event.preventDefault();
    show(await client.rate(message, given.rating, comment.value.trim()));
    why.remove();
    announce("Thank you for the comment.");
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
