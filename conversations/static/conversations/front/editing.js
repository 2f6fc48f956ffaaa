/** Editing a question in its place. */

import { byId, element, textButton } from "./elements.js";

/** @typedef {import("./conversation.js").Conversation} Conversation */
/** @typedef {import("./items.js").Item} Item */

/**
 * Let the user edit a question; the new one becomes its sibling.
 * @param {Conversation} conversation
 * @param {Item} item
 */
export function editQuestion(conversation, item) {
  const view = /** @type {import("./question_view.js").QuestionView} */ (item.view);
  if (view.element.querySelector("form")) return;
  const input = element("textarea", { "aria-label": "The question", rows: 3, dir: "auto" });
  input.value = view.text;
  const form = element("form", { class: "editing" }, input,
    element("div", { class: "actions" }, textButton("Cancel", () => close()),
      element("button", { class: "button primary" }, "Ask")));
  const close = () => {
    form.remove();
    view.element.classList.remove("edited");
    view.footer.querySelector("button")?.focus();
  };
  const send = (/** @type {Event} */ event) => {
    event.preventDefault();
    const text = input.value.trim();
    if (!text && !view.files.length) return;
    byId("question").focus(); // what has the focus now is about to go
    conversation.edit(item, [...view.files, ...(text ? [{ type: "text", text }] : [])]);
  };
  form.addEventListener("submit", send);
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) send(event);
  });
  view.element.classList.add("edited");
  view.body.before(form);
  input.focus();
}
