/** The page of an extraction: its data, updated while it runs, beside its sources. */

import { Client } from "../../conversations/client.js";
import { exactJson } from "../../conversations/client/exact_json.js";
import { showBudget } from "../../conversations/front/budget.js";
import { copied } from "../../conversations/front/copying.js";
import { confirmDeletion } from "../../conversations/front/deletion.js";
import { announce, byId, element, textButton } from "../../conversations/front/elements.js";
import { wireFrame } from "../../conversations/front/frame.js";
import { showMenu } from "../../conversations/front/menu.js";
import { dollars } from "../../conversations/front/money.js";
import { noticeView } from "../../conversations/front/notices.js";
import { DataView } from "./data_view.js";
import { wireHistory } from "./history.js";
import { stepsOf } from "./pointers.js";
import { Review } from "./review.js";
import { SourcesView } from "./sources_view.js";
import { evidenceWords, labelOf, outcomeNotice, stateOf } from "./words.js";

/** @typedef {import("../../conversations/client/extracting.js").ExtractionState} ExtractionState */

/** By statuses of evidence. */
const COUNTED = {
  exact: "word for word in the source", fuzzy: "nearly so", not_found: "not found", claimed: "unchecked",
};
const id = document.body.dataset.id ?? "";
const client = new Client({ exactNumbers: true });
const { tell, toast } = wireFrame(client);
const sources = new SourcesView(client, id, byId("sources"), choose);
const review = new Review(client, { onShow: draw, onDecided: (decided) => ended(decided) });
/** @type {DataView} */
let view;
/** The extraction as it was last told of. @type {any} */
let extraction;

/** Show an extraction from its beginning or in the middle, and follow it to its end. */
async function open() {
  extraction = await client.extractions.get(id);
  view = new DataView(byId("data"), extraction.schema, choose);
  name();
  const shown = showSources();
  if (!isRunning()) return Promise.all([ended(extraction), shown]);
  const following = client.extractions.resume(id);
  live(following.state);
  for await (const _ of following) live(following.state);
  ended(following.state.extraction);
  await shown;
  return showSources();
}

/** Show the sources with the present evidence. Errors are shown, and do not affect the rest of the page. */
async function showSources() {
  await client.extractions.sources(id).then((found) => sources.show(found, extraction.evidence)).catch(tell);
}

function isRunning() {
  return ["queued", "running"].includes(extraction.status);
}

function name() {
  const { title } = extraction.metadata;
  const heading = byId("name");
  const isNamed = heading.textContent !== "Extraction"; // by its batch
  if (typeof title === "string" && title) heading.textContent = title;
  else if (!isNamed) heading.textContent = extraction.schema_version.name ?? "Extraction";
  document.title = `${heading.textContent} – Colloquy`;
}

/** Show what there is while it runs. @param {ExtractionState} state */
function live(state) {
  if (state.ended) return;
  showState(state.status);
  byId("stop").hidden = false;
  view.show(state.data, { isComing: true, evidence: new Map(), problems: new Map(), edit: null });
  showAttempts(state.attempts);
}

/** Show the extraction as it has ended, or as it was decided on. @param {any} found */
function ended(found) {
  const wasRunning = extraction && isRunning();
  extraction = found;
  showState(extraction.status);
  byId("stop").hidden = true;
  byId("cost").textContent = dollars(extraction.cost);
  const notice = outcomeNotice(extraction);
  const general = extraction.problems.filter((/** @type {any} */ { path }) => path === "" && extraction.data === null);
  byId("outcome").replaceChildren(...(notice ? [noticeView({ ...notice, actions: [["Extract again", again]] })] : []),
    ...general.map((/** @type {any} */ { message }) => element("p", { class: "problem" }, message)));
  showAttempts(extraction.attempts);
  showSummary();
  review.show(extraction);
  if (wasRunning) {
    announce(`${stateOf(extraction.status).word}.`);
    showBudget(client).catch(() => {});
    refreshHistory();
  }
}

/** @param {any} data @param {import("./data_view.js").Edit | null} edit */
function draw(data, edit) {
  const evidence = new Map(extraction.evidence.map((/** @type {any} */ each) => [each.path, each]));
  /** @type {Map<string, string[]>} */
  const problems = new Map();
  for (const { path, message } of extraction.problems) problems.set(path, [...(problems.get(path) ?? []), message]);
  const { final } = extraction;
  if (final === null) byId("data").replaceChildren();
  else view.show(data, { isComing: false, evidence, problems: data === final ? problems : new Map(), edit });
}

/** @param {string} status */
function showState(status) {
  const { word, tone } = stateOf(status);
  byId("state").className = `state ${tone}`;
  byId("state").textContent = word;
}

/** @param {any[]} attempts each with its problems; null while it is being written */
function showAttempts(attempts) {
  const place = byId("attempts");
  place.hidden = attempts.length === 0;
  const [summary, list] = place.children;
  summary.textContent = `${attempts.length} ${attempts.length === 1 ? "attempt" : "attempts"}`;
  list.replaceChildren(...attempts.map(attemptView));
}

/** @param {any} attempt */
function attemptView({ problems }) {
  if (!problems) return element("li", {}, "It is being written.");
  if (!problems.length) return element("li", {}, "Nothing is wrong with it.");
  const found = problems.map((/** @type {any} */ { path, message }) =>
    element("li", {}, path ? `${nameOf(path)}: ${message}` : message));
  return element("li", {}, `${problems.length} ${problems.length === 1 ? "problem" : "problems"}:`,
    element("ul", {}, ...found));
}

function showSummary() {
  const place = byId("summary");
  /** @type {Record<string, number>} */
  const counts = {};
  for (const { status } of extraction.evidence) counts[status] = (counts[status] ?? 0) + 1;
  const present = Object.entries(COUNTED).filter(([status]) => counts[status]);
  const parts = present.map(([status, word]) => `${counts[status]} ${word}`);
  place.hidden = parts.length === 0;
  place.textContent = `${extraction.evidence.length} values: ${parts.join(", ")}. Choose one to see where it is from.`;
}

/** Show where a value is from. @param {string} path */
async function choose(path) {
  if (isRunning()) return;
  const button = view.mark(path);
  button?.scrollIntoView({ block: "nearest" });
  const evidence = extraction.evidence.find((/** @type {any} */ each) => each.path === path);
  showQuote(path, evidence);
  show("source");
  await sources.reveal(path, evidence).catch(tell);
}

/** @param {string} path @param {any} evidence */
function showQuote(path, evidence) {
  const place = byId("quote");
  const { sentence } = evidenceWords(evidence?.status);
  const where = evidence?.page ? ` Page ${evidence.page}.` : "";
  const back = textButton("Back to the data", () => backToData(path), { class: "link phone" });
  const quote = evidence?.quote ? [element("q", {}, evidence.quote)] : [];
  place.replaceChildren(element("strong", {}, nameOf(path)), " ", ...quote,
    element("span", { class: "quiet" }, ` ${sentence}${where}`), back);
  place.hidden = false;
}

/** @param {string} path */
function backToData(path) {
  show("data");
  view.mark(path)?.focus();
}

/** @param {string} path */
function nameOf(path) {
  const names = stepsOf(path).map((step) => (/^\d+$/.test(step) ? String(Number(step) + 1) : labelOf(step)));
  return names.join(" › ") || "The data";
}

/** Show a pane, where there is room for one only. @param {"data" | "source"} pane */
function show(pane) {
  byId("content").dataset.pane = pane;
  for (const input of /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll("[name=pane]"))) {
    input.checked = input.value === pane;
  }
}

/** Extract the same from the same once more, with one more attempt. */
async function again() {
  try {
    const content = await Promise.all((await client.extractions.sources(id)).map(blockOf));
    const { schema_version, model, attempts, metadata } = extraction;
    const max_attempts = Math.min(5, attempts.length + 1);
    const asked = { schema: schema_version.id, model, content, max_attempts, metadata };
    const created = await client.extractions.create(asked);
    location.assign(`/extract/${created.id}/`);
  } catch (error) {
    tell(error);
  }
}

/** @param {any} source */
async function blockOf({ index, kind, title, attachment, media_type }) {
  if (!attachment) return { type: "text", text: (await client.extractions.sourceText(id, index)).text };
  const source = { type: "attachment", attachment };
  if (kind === "image") return { type: "image", source };
  return { type: "document", source: { ...source, media_type }, ...(title ? { title } : {}) };
}

function copy() {
  const text = exactJson.stringify(extraction.final, 2);
  copied(text).then((isCopied) => toast.show(isCopied ? "Copied." : "The browser does not allow this page to copy."));
}

function remove() {
  const consequence = "Its data and its reviews will be deleted for good.";
  const texts = { question: "Delete the extraction?", consequence };
  confirmDeletion(texts, () => client.extractions.delete(id).then(() => location.assign("/extract/"), tell));
}

function wireButtons() {
  byId("stop").addEventListener("click", () => client.extractions.cancel(id).catch(tell));
  byId("more").addEventListener("click", () => showMenu(byId("more"), [
    ["Extract again", again],
    ["New with this schema", () => location.assign(`/extract/?like=${id}`)],
    ["Copy the data as JSON", copy],
    ["Delete…", remove, "danger"],
  ]));
  for (const input of /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll("[name=pane]"))) {
    input.addEventListener("change", () => show(/** @type {any} */ (input.value)));
  }
}

show("data");
wireButtons();
const refreshHistory = wireHistory(client, tell);
showBudget(client).catch(() => {});
open().then(() => (document.body.dataset.ready = ""), tell);
