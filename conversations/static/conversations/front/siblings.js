/** The siblings (other versions) of a message: their number, and switching between them. */

import { element, iconButton } from "./elements.js";

/** @typedef {import("./conversation.js").Conversation} Conversation */
/** @typedef {import("./items.js").Item} Item */
/** @typedef {{id: string, parent: string | null, role: string}} Node */

/** The siblings of a conversation's messages. */
export class Siblings {
  /** @param {Conversation} conversation */
  constructor(conversation) {
    this.conversation = conversation;
    /** @type {Promise<Node[]> | null} */
    this._tree = null;
  }

  /** Reload the siblings: there are more now. */
  async refresh() {
    this._tree = null;
    const { client, thread, id, signal } = this.conversation;
    const { results } = await client.messages(/** @type {string} */ (id), { last: "true", page_size: "10" });
    if (signal.aborted) return;
    for (const message of results) {
      const item = thread.find(message.id);
      if (!item) continue;
      Object.assign(/** @type {any} */ (item.messages.find((each) => each.id === message.id)), message);
      this.show(item);
    }
  }

  /** Show the arrows of an item, if it has siblings. @param {Item} item */
  async show(item) {
    const place = item.view.footer.querySelector(".siblings");
    if (!place || !((item.messages[0].siblings ?? 1) > 1)) return;
    const { versions, index } = await this._versionsOf(item);
    if (index < 0) return;
    const go = (/** @type {number} */ step) => () => this._choose(versions[index + step]);
    const label = `Version ${index + 1} of ${versions.length}`;
    place.replaceChildren(
      iconButton("left", "Previous version", go(-1), { disabled: index === 0 }),
      element("span", { role: "img", "aria-label": label }, `${index + 1} / ${versions.length}`),
      iconButton("right", "Next version", go(1), { disabled: index === versions.length - 1 }),
    );
  }

  /** @param {Item} item */
  async _versionsOf({ messages: [message] }) {
    const nodes = await this._nodes();
    const versions = nodes.filter(({ parent, role }) => parent === message.parent && role === message.role);
    return { versions, index: versions.findIndex(({ id }) => id === message.id) };
  }

  /** Show a version, and the newest of what was said after it. @param {Node} node */
  async _choose(node) {
    const nodes = await this._nodes();
    let leaf = node;
    for (let child; (child = nodes.findLast(({ parent }) => parent === leaf.id)); ) leaf = child;
    const { client, id } = this.conversation;
    await client.activate(/** @type {string} */ (id), leaf.id);
    await this.conversation.reload(leaf.id);
    this.conversation.thread.find(node.id)?.view.element.scrollIntoView({ block: "nearest" });
  }

  /** @returns {Promise<Node[]>} oldest first */
  _nodes() {
    this._tree ??= all(this.conversation.client, `conversations/${this.conversation.id}/tree/?page_size=200`);
    return this._tree;
  }
}

/** @param {import("../client.js").Client} client @param {string} path @returns {Promise<Node[]>} */
async function all(client, path) {
  const found = [];
  for await (const node of client.all(path)) found.push(node);
  return found;
}
