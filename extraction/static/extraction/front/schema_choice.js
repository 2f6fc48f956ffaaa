/** The choice of a schema: a new one, a sample, or one of the user's in any version. */

import { byId, element } from "../../conversations/front/elements.js";

/** @typedef {import("../../conversations/client.js").Client} Client */
/** @typedef {import("./schema_card.js").SchemaCard} SchemaCard */

/** Schemas to begin with, as they lie in extraction/samples. @type {[string, string][]} */
const STARTING_POINTS = [["invoice.json", "Invoice"], ["receipt.json", "Receipt"], ["contact.json", "Contact"]];
const NEW = "new";
const OURS = "ours:";
const FIRST = `${OURS}invoice.json`;

/** The list of schemas, which fills the card. */
export class SchemaChoice {
  /** @param {Client} client @param {SchemaCard} card @param {(error: any) => void} onError */
  constructor(client, card, onError) {
    this._client = client;
    this._card = card;
    this._list = byId("schema");
    this._versions = byId("version");
    this._hide = byId("hide-schema");
    const told = (/** @type {Promise<any>} */ doing) => doing.catch(onError);
    this._list.addEventListener("change", () => told(this._chosen()));
    this._versions.addEventListener("change", () => told(this._load(this._versions.value)));
    this._hide.addEventListener("click", () => told(this._takeOut()));
    byId("save-schema").addEventListener("click", () => told(this._save()));
  }

  /**
   * Offer the schemas, and show one.
   * @param {string | null} like the id of an extraction that was made with it; null: the newest, or ours
   */
  async open(like) {
    const own = await this._fill();
    if (like) return this._openLike(own, await this._client.extractions.get(like));
    this._list.value = own[0] ?? FIRST;
    return this._chosen();
  }

  /** @param {string[]} own ids of schemas in the list @param {any} extraction */
  async _openLike(own, { schema, schema_version: { id, name } }) {
    if (own.includes(id)) {
      this._list.value = id;
      return this._chosen();
    }
    this._list.value = NEW;
    return name ? this._load(id) : this._card.load({ json_schema: schema });
  }

  async _fill() {
    const { results } = await this._client.schemas.list({ page_size: 200 });
    const own = results.map(({ id, name, version }) => option(id, version > 1 ? `${name} (version ${version})` : name));
    const ours = STARTING_POINTS.map(([file, name]) => option(OURS + file, name));
    const groups = [["Yours", own], ["To begin with", ours]].filter(([, options]) => options.length);
    const made = groups.map(([label, options]) => element("optgroup", { label }, .../** @type {any[]} */ (options)));
    this._list.replaceChildren(...made, option(NEW, "An empty one"));
    return own.map(({ value }) => value);
  }

  async _chosen() {
    const value = this._list.value;
    const isOwn = value !== NEW && !value.startsWith(OURS);
    this._versions.hidden = true;
    this._hide.hidden = !isOwn;
    if (value === NEW) return this._card.load({});
    if (!isOwn) return this._begin(value.slice(OURS.length));
    await this._load(value);
    return this._fillVersions(value);
  }

  /** @param {string} file */
  async _begin(file) {
    const answer = await fetch(`/extract/samples/${file}`);
    this._card.load({ json_schema: await answer.json() });
  }

  /** @param {string} id */
  async _load(id) {
    this._card.load(await this._client.schemas.get(id), id);
  }

  /** @param {string} id */
  async _fillVersions(id) {
    const { results } = await this._client.schemas.versions(id, { page_size: 200 });
    const options = results.map((/** @type {any} */ each) => option(each.id, `Version ${each.version}`));
    this._versions.replaceChildren(...options);
    this._versions.hidden = results.length < 2;
  }

  async _save() {
    const written = this._card.written;
    if (!written.name) {
      byId("schema-name").focus();
      byId("saved").textContent = "Give it a name to save it.";
      return;
    }
    try {
      const { id, name, version, notes } = await this._client.schemas.create(written);
      await this._fill();
      this._list.value = id;
      await this._chosen();
      byId("saved").textContent = [`Saved as ${name}, version ${version}.`, ...notes].join(" ");
    } catch (error) {
      if (!this._card.showError(error)) throw error;
    }
  }

  async _takeOut() {
    await this._client.schemas.delete(this._list.value);
    await this.open(null);
  }
}

/** @param {string} value @param {string} label */
function option(value, label) {
  return element("option", { value }, label);
}
