/** The shares of a conversation: users and groups as readers or writers. */

import { byId, element, iconButton } from "./elements.js";
import { errorText } from "./notices.js";

/** @typedef {import("../client.js").Client} Client */
/** @typedef {{id: string, user: string | null, group: string | null, role: string}} Share */

/** @type {Record<string, string>} */
const ROLES = { reader: "can read", writer: "can read and ask" };

/** Show with whom a conversation is shared, and let its owner change that. @param {Client} client @param {string} id */
export async function shareConversation(client, id) {
  const dialog = byId("share");
  const form = dialog.querySelector("form");
  dialog.querySelector("[data-close]").onclick = () => dialog.close();
  form.onsubmit = (/** @type {Event} */ event) => {
    event.preventDefault();
    add(client, id, form);
  };
  await list(client, id);
  say("");
  dialog.showModal();
}

/** @param {Client} client @param {string} id */
async function list(client, id) {
  const shares = (await client.get(`conversations/${id}/shares/`)).results;
  const items = shares.map((/** @type {Share} */ share) => shareItem(client, id, share));
  if (!items.length) items.push(element("li", { class: "quiet" }, "It is not shared with anybody yet."));
  byId("shares").replaceChildren(...items);
}

/** @param {Client} client @param {string} id @param {Share} share */
function shareItem(client, id, share) {
  const name = share.user ?? `the group ${share.group}`;
  const remove = () => change(client, id, "DELETE", `${share.id}/`);
  return element("li", {}, element("span", {}, `${name} ${ROLES[share.role] ?? share.role}`),
    iconButton("close", `Stop sharing with ${name}`, remove));
}

/** @param {Client} client @param {string} id @param {HTMLFormElement} form */
async function add(client, id, form) {
  const { kind, who, role } = /** @type {any} */ (form);
  if (!who.value.trim()) return;
  await change(client, id, "POST", "", { [kind.value]: who.value.trim(), role: role.value });
  who.value = "";
}

/** @param {Client} client @param {string} id @param {string} method @param {string} path @param {any} [body] */
async function change(client, id, method, path, body) {
  try {
    await client.http.request(method, `conversations/${id}/shares/${path}`, { body });
    await list(client, id);
    say("");
  } catch (error) {
    const { details = {} } = /** @type {any} */ (error);
    say(Object.values(details).join(" ") || errorText(/** @type {any} */ (error)));
  }
}

/** @param {string} text */
function say(text) {
  byId("share-problem").textContent = text;
}
