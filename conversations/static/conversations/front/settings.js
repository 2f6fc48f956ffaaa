/** The settings of a conversation: model, instructions, length, thinking. */

import { byId, element } from "./elements.js";

/** @typedef {Record<string, any>} Fields */

const LAST_MODEL = "model";

/** The dialog with a conversation's settings. */
export class Settings {
  /** @param {import("../client.js").Client} client */
  constructor(client) {
    this._client = client;
    this._dialog = byId("settings");
    this._form = this._dialog.querySelector("form");
    this._default = document.body.dataset.model ?? "";
    /** @type {Promise<any[]> | null} */
    this._models = null;
    this._form.model.addEventListener("change", () => this._limit());
    this._dialog.querySelector("[data-close]").addEventListener("click", () => this._dialog.close());
  }

  /** What a new conversation begins with. @returns {Fields} */
  get initial() {
    const model = localStorage.getItem(LAST_MODEL);
    return model && model !== this._default ? { model } : {};
  }

  /** Return what a model is called. @param {string | null | undefined} id */
  nameOf(id) {
    return id || this._default;
  }

  /**
   * Show the settings, and let their owner change them.
   * @param {Fields} data
   * @param {boolean} isOwn
   * @param {(changed: Fields) => void} onChange
   */
  async edit(data, isOwn, onChange) {
    await this._fillModels(this.nameOf(data.model));
    const { system, max_tokens: most, temperature, effort, thinking } = this._form;
    system.value = typeof data.system === "string" ? data.system : "";
    most.value = data.max_tokens ?? "";
    temperature.value = data.temperature ?? "";
    thinking.checked = Boolean(data.thinking && data.thinking.type !== "disabled");
    await this._limit();
    effort.value = data.effort ?? "";
    this._form.onsubmit = () => {
      localStorage.setItem(LAST_MODEL, this._form.model.value);
      onChange(this._changed(data));
    };
    this._lock(!isOwn);
    this._dialog.showModal();
  }

  /** Let nobody change what the server would not let them change. @param {boolean} isLocked */
  _lock(isLocked) {
    this._form.querySelector("fieldset").disabled = isLocked;
    this._form.querySelector("button:not([type])").hidden = isLocked;
    this._form.querySelector(".reason").hidden = !isLocked;
    this._form.querySelector("[data-close]").textContent = isLocked ? "Close" : "Cancel";
  }

  /** Return the settings that differ; null takes one away. @param {Fields} data @returns {Fields} */
  _changed(data) {
    const { model, system, max_tokens: most, temperature, effort, thinking } = this._form;
    /** @type {Fields} */
    const given = {
      model: model.value === this._default ? null : model.value,
      system: system.value.trim() || null,
      max_tokens: most.value ? Number(most.value) : null,
      temperature: temperature.value === "" ? null : Number(temperature.value),
      effort: effort.value || null,
    };
    const had = Boolean(data.thinking && data.thinking.type !== "disabled");
    if (thinking.checked !== had) given.thinking = thinking.checked ? this._thinking() : null;
    return Object.fromEntries(Object.entries(given).filter(([name, value]) => value !== (data[name] ?? null)));
  }

  /** Show the controls for thinking that the model supports. */
  _thinking() {
    const types = this._model?.capabilities.thinking ?? [];
    if (types.includes("adaptive")) return { type: "adaptive" };
    const most = Number(this._form.max_tokens.value || 4096);
    return { type: "enabled", budget_tokens: Math.max(1024, Math.floor(most / 2)) };
  }

  /** @param {string} chosen */
  async _fillModels(chosen) {
    this._models ??= this._client.get("models/?page_size=200").then((page) => page.results);
    const models = await this._models;
    const known = models.some(({ id }) => id === chosen);
    const all = known ? models : [{ id: chosen, name: chosen, prices: null }, ...models];
    this._form.model.replaceChildren(...all.map(({ id, name, prices }) =>
      element("option", { value: id, selected: id === chosen }, `${name}${priceOf(prices)}`)));
  }

  /** Offer only settings that the chosen model supports. */
  async _limit() {
    const models = (await this._models) ?? [];
    this._model = models.find(({ id }) => id === this._form.model.value);
    const capabilities = this._model?.capabilities;
    this._form.temperature.disabled = capabilities?.temperature === "no";
    const thinks = (/** @type {string} */ type) => type !== "disabled";
    this._form.thinking.disabled = Boolean(capabilities && !capabilities.thinking.some(thinks));
    const efforts = capabilities?.effort ?? [];
    this._form.effort.disabled = efforts.length === 0;
    this._form.effort.replaceChildren(...["", ...efforts].map((each) =>
      element("option", { value: each }, each || "Default")));
    this._form.max_tokens.max = this._model?.limits.max_output_tokens ?? "";
  }
}

/** @param {Record<string, string> | null | undefined} prices */
function priceOf(prices) {
  const input = prices?.input ?? prices?.input_tokens, output = prices?.output ?? prices?.output_tokens;
  return input && output ? ` ($${Number(input)} / $${Number(output)})` : "";
}
