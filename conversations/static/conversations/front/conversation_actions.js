/** What can be done with a whole conversation: rename, archive, export, delete. */

import { byId } from "./elements.js";
import { shareConversation } from "./sharing.js";

/** @typedef {import("../client.js").Client} Client */
/** @typedef {Record<string, any>} Fields */
/** @typedef {{onDone: (isGone: boolean) => void, onError: (error: any) => void}} Handlers */

/**
 * Return the entries of a conversation's menu.
 * @param {Client} client
 * @param {Fields} conversation
 * @param {Handlers} handlers
 * @returns {import("./menu.js").Entry[]}
 */
export function conversationActions(client, conversation, { onDone, onError }) {
  const change = (/** @type {Fields} */ fields) => () =>
    client.updateConversation(conversation.id, fields).then(() => onDone(false), onError);
  const rename = () => askFor("Rename the conversation", conversation.title, (title) => change({ title })());
  const remove = () => confirm(conversation, () =>
    client.deleteConversation(conversation.id).then(() => onDone(true), onError));
  return [
    ["Rename", rename],
    [conversation.archived ? "Take out of the archive" : "Archive", change({ archived: !conversation.archived })],
    ["Share…", () => shareConversation(client, conversation.id).catch(onError)],
    ["Export as Markdown", () => download(client, conversation).catch(onError)],
    ["Delete…", remove],
  ];
}

/** @param {string} label @param {string} value @param {(value: string) => void} onGiven */
function askFor(label, value, onGiven) {
  const dialog = byId("rename");
  const form = dialog.querySelector("form");
  form.querySelector("h2").textContent = label;
  form.value.value = value;
  form.onsubmit = () => onGiven(form.value.value.trim());
  dialog.querySelector("[data-close]").onclick = () => dialog.close();
  dialog.showModal();
  form.value.select();
}

/** @param {Fields} conversation @param {() => void} onConfirmed */
function confirm({ title }, onConfirmed) {
  const dialog = byId("delete");
  dialog.querySelector("p").textContent = `“${title || "Untitled"}” and everything in it will be deleted for good.`;
  dialog.querySelector("form").onsubmit = onConfirmed;
  dialog.querySelector("[data-close]").onclick = () => dialog.close();
  dialog.showModal();
}

/** @param {Client} client @param {Fields} conversation */
async function download(client, { id, title }) {
  const headers = { Accept: "text/markdown" };
  const response = await client.http.send("GET", `conversations/${id}/export/`, { headers });
  const href = URL.createObjectURL(await response.blob());
  Object.assign(document.createElement("a"), { href, download: `${title || "conversation"}.md` }).click();
  URL.revokeObjectURL(href);
}
