/** Actions on a whole conversation: rename, archive, share, copy, export, delete. */

import { confirmDeletion } from "./deletion.js";
import { byId } from "./elements.js";
import { shareConversation } from "./sharing.js";

/** @typedef {import("../client.js").Client} Client */
/** @typedef {Record<string, any>} Fields */

/**
 * @typedef {object} Handlers
 * @property {(isGone: boolean) => void} onDone it was changed, or is gone
 * @property {(id: string) => void} onCopied there is another one now
 * @property {(error: any) => void} onError
 */

/**
 * Return the entries of a conversation's menu: the actions that the server permits this user.
 * @param {Client} client
 * @param {Fields} conversation
 * @param {Handlers} handlers
 * @returns {import("./menu.js").Entry[]}
 */
export function conversationActions(client, conversation, handlers) {
  const { onCopied, onError } = handlers;
  /** @type {import("./menu.js").Entry[]} */
  const forAll = [
    ["Make a copy", () => copyConversation(client, conversation).then(onCopied, onError)],
    ["Export as Markdown", () => download(client, conversation).catch(onError)],
  ];
  if (conversation.role !== "owner") return forAll;
  const [[rename, archive, share], [remove]] = ownActions(client, conversation, handlers);
  return [rename, archive, share, ...forAll, remove];
}

/**
 * Return the actions of the owner, divided at the place of the other entries.
 * @param {Client} client
 * @param {Fields} conversation
 * @param {Handlers} handlers
 * @returns {import("./menu.js").Entry[][]}
 */
function ownActions(client, conversation, { onDone, onError }) {
  const change = (/** @type {Fields} */ fields) => () =>
    client.updateConversation(conversation.id, fields).then(() => onDone(false), onError);
  const rename = () => askFor("Rename the conversation", conversation.title, (title) => change({ title })());
  const texts = {
    question: "Delete the conversation?",
    consequence: `“${conversation.title || "Untitled"}” and everything in it will be deleted for good.`,
  };
  const remove = () => confirmDeletion(texts, () =>
    client.deleteConversation(conversation.id).then(() => onDone(true), onError));
  const archive = conversation.archived ? "Unarchive" : "Archive";
  return [
    [["Rename", rename], [archive, change({ archived: !conversation.archived })],
      ["Share…", () => shareConversation(client, conversation.id).catch(onError)]],
    [["Delete…", remove, "danger"]],
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

/**
 * Copy a conversation, up to its active leaf, into one of the user's own; return its id.
 * @param {Client} client
 * @param {Fields} conversation
 * @returns {Promise<string>}
 */
export async function copyConversation(client, { id, active_leaf: message }) {
  return (await client.http.request("POST", `conversations/${id}/fork/`, { body: { message } })).id;
}

/** @param {Client} client @param {Fields} conversation */
async function download(client, { id, title }) {
  const headers = { Accept: "text/markdown" };
  const response = await client.http.send("GET", `conversations/${id}/export/`, { headers });
  const href = URL.createObjectURL(await response.blob());
  Object.assign(document.createElement("a"), { href, download: `${title || "conversation"}.md` }).click();
  URL.revokeObjectURL(href);
}
