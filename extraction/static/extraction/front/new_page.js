/** The page for a new extraction: a schema, documents, and how to extract. */

import { Client } from "../../conversations/client.js";
import { showBudget } from "../../conversations/front/budget.js";
import { byId, element } from "../../conversations/front/elements.js";
import { wireFrame } from "../../conversations/front/frame.js";
import { errorText } from "../../conversations/front/notices.js";
import { Documents } from "./documents.js";
import { wireHistory } from "./history.js";
import { SchemaCard, Unusable } from "./schema_card.js";
import { SchemaChoice } from "./schema_choice.js";

const client = new Client();
const { tell } = wireFrame(client);
const form = byId("content");
const button = byId("extract");
const problem = byId("extract-problem");
const card = new SchemaCard();
const choice = new SchemaChoice(client, card, (error) => error instanceof Unusable || tell(error));
const documents = new Documents(client, form, update);

/** Update the button's label for the present documents. */
function update() {
  const { count, areComing } = documents;
  button.disabled = areComing || count === 0;
  button.textContent = areComing ? "Uploading…" : count > 1 ? `Extract from ${count} documents` : "Extract";
  byId("mode").disabled = count < 2;
  problem.textContent = "";
}

async function extract() {
  button.disabled = true;
  try {
    const asked = { schema: card.reference, ...options() };
    location.assign(await begin(asked, documents.all));
  } catch (error) {
    notBegun(error);
    button.disabled = false;
  }
}

/** Show what is wrong at its place: the schema, or else beside the button. @param {any} error */
function notBegun(error) {
  const isSchema = error instanceof Unusable || card.showError(error);
  if (!isSchema) problem.textContent = errorText(error);
}

/**
 * Begin an extraction, or a batch of them, and return its page's address.
 * @param {Record<string, any>} asked
 * @param {import("./documents.js").Document[]} all
 */
async function begin(asked, all) {
  if (all.length === 1) {
    const [{ key, content }] = all;
    const { id } = await client.extractions.create({ ...asked, content, metadata: { title: key } });
    return `/extract/${id}/`;
  }
  const { id } = await client.batches.create({ ...asked, items: all, mode: byId("mode").value });
  return `/extract/batches/${id}/`;
}

function options() {
  const model = byId("options-model").value;
  return {
    ...(model ? { model } : {}),
    ...(byId("evidence").checked ? {} : { evidence: false }),
    max_attempts: Number(byId("attempts").value),
  };
}

async function fillModels() {
  const { results } = await client.get("models/?page_size=200");
  const usual = document.body.dataset.model ?? "";
  const others = results.filter((/** @type {any} */ { id }) => id !== usual);
  byId("options-model").replaceChildren(element("option", { value: "" }, nameOf(results, usual)),
    ...others.map((/** @type {any} */ { id, name }) => element("option", { value: id }, name)));
}

/** @param {any[]} models @param {string} id */
function nameOf(models, id) {
  return models.find((each) => each.id === id)?.name ?? id;
}

form.addEventListener("submit", (/** @type {Event} */ event) => {
  event.preventDefault();
  extract();
});
addEventListener("pageshow", update); // also when the browser goes back to it
wireHistory(client, tell);
showBudget(client).catch(() => {});
fillModels().catch(tell);
choice.open(new URLSearchParams(location.search).get("like")).then(() => (document.body.dataset.ready = ""), tell);
