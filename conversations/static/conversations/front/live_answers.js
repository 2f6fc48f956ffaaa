/** Streamed answers: followed, shown as they grow, and completed. */

import { announce } from "./elements.js";

/** @typedef {import("../client.js").Answer} Answer */
/** @typedef {import("./answer_view.js").AnswerView} AnswerView */

/** What those who can't see the page are told, by statuses. @type {Record<string, string>} */
const ENDS = {
  cancelled: "The answer was stopped.", failed: "The answer failed.", interrupted: "The answer was interrupted.",
};
const SHARE = 4; // a frame may take this part of the time; after a slow one the next is later

/**
 * Show a streamed answer to its end.
 * @param {Answer} answer
 * @param {AnswerView} view
 * @param {() => void} onShown
 */
export async function showLive(answer, view, onShown) {
  const painter = new Painter(() => {
    const { state } = answer;
    view.show(state.messages, { isWhole: state.ended, partialInput: (block) => state.partialInput(block) });
    onShown();
  });
  view.element.classList.add("live");
  view.element.setAttribute("aria-busy", "true");
  announce("Claude is answering.");
  try {
    for await (const _ of answer) painter.ask();
  } finally {
    view.element.classList.remove("live");
    view.element.removeAttribute("aria-busy");
    painter.paint();
  }
  announce(ENDS[answer.state.status] ?? "The answer is complete.");
}

/** Paints at most once a frame, and less often where that is slow, so that the page always reacts. */
class Painter {
  /** @param {() => void} draw */
  constructor(draw) {
    this._draw = draw;
    this._asked = false;
    this._notBefore = 0;
  }

  /** Paint soon. */
  ask() {
    if (this._asked) return;
    this._asked = true;
    const wait = this._notBefore - performance.now();
    if (document.hidden || wait > 0) setTimeout(() => this.paint(), Math.max(wait, 0));
    else requestAnimationFrame(() => this.paint());
  }

  /** Paint now. */
  paint() {
    this._asked = false;
    const began = performance.now();
    this._draw();
    const ended = performance.now();
    this._notBefore = ended + (ended - began) * SHARE;
  }
}
