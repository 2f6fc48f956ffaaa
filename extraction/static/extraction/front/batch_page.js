/** The page of a batch: its progress, its cost, its items, and its results as files. */

import { Client } from "../../conversations/client.js";
import { showBudget } from "../../conversations/front/budget.js";
import { announce, byId, element, icon, textButton } from "../../conversations/front/elements.js";
import { wireFrame } from "../../conversations/front/frame.js";
import { dollars } from "../../conversations/front/money.js";
import { errorText } from "../../conversations/front/notices.js";
import { wireHistory } from "./history.js";
import { durationOf } from "../../conversations/front/times.js";
import { stateOf } from "./words.js";

const LOOK_EVERY = 1_500; // milliseconds, while it runs
const PAGE = 50;
const SUMMARY_LENGTH = 140;
/** @type {["jsonl" | "csv" | "xlsx", string][]} */
const FILES = [["jsonl", "JSON lines"], ["csv", "CSV"], ["xlsx", "Excel"]];
const COUNTED = ["succeeded", "running", "queued", "invalid", "failed", "refused", "truncated", "cancelled"];

const id = document.body.dataset.id ?? "";
const client = new Client();
const { tell } = wireFrame(client);
let shown = PAGE;

/** Poll the batch until it has ended. */
async function watch() {
  for (;;) {
    const batch = await look();
    if (batch.finished_at && batch.status !== "receiving") return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
  }
}

async function look() {
  const batch = await client.batches.get(id);
  showBatch(batch);
  await showItems();
  return batch;
}

/** @param {any} batch */
function showBatch(batch) {
  const { word, tone } = stateOf(batch.status);
  byId("name").textContent = batch.schema.name ?? "Batch";
  document.title = `${batch.schema.name ?? "Batch"} – Colloquy`;
  if (byId("state").textContent !== word) announce(word);
  byId("state").className = `state ${tone}`;
  byId("state").textContent = word;
  showCounts(batch.counts);
  showFigures(batch);
  showSteps(batch);
}

/** Offer what can be done with the batch. Buttons that are there stay, and keep the focus. @param {any} batch */
function showSteps(batch) {
  const steps = stepsFor(batch);
  const place = byId("steps");
  if ([...place.children].map(({ textContent }) => textContent).join() === steps.map(([label]) => label).join()) return;
  place.replaceChildren(...steps.map(([label, act]) =>
    textButton(label, () => act(id).then(look).then(watchAgain, tell))));
}

/** @param {any} counts */
function showCounts(counts) {
  const present = COUNTED.filter((status) => counts[status]);
  const bar = byId("bar");
  bar.setAttribute("aria-label", present.map((status) => `${counts[status]} ${stateOf(status).word}`).join(", "));
  bar.replaceChildren(...present.map((status) => {
    const part = element("i", { class: `${stateOf(status).tone} ${status}` });
    part.style.flexGrow = String(counts[status]);
    return part;
  }));
  byId("counts").replaceChildren(...present.map((status) =>
    element("li", { class: `${stateOf(status).tone} ${status}` },
      element("strong", {}, String(counts[status])), ` ${stateOf(status).word}`)));
}

/** @param {any} batch */
function showFigures({ counts, cost, expected_cost, seconds_left, mode, finished_at }) {
  const figures = [["Documents", String(counts.total)], [finished_at ? "Cost" : "Cost so far", dollars(cost)]];
  if (!finished_at && expected_cost !== null) figures.push(["Expected", dollars(expected_cost)]);
  if (!finished_at && seconds_left) figures.push(["Time left", durationOf(seconds_left)]);
  if (mode === "batch") figures.push(["Mode", "Message Batches, at half the price"]);
  byId("figures").replaceChildren(...figures.map(([term, value]) =>
    element("div", {}, element("dt", {}, term), element("dd", {}, value))));
}

/** @param {any} batch @returns {[string, (id: string) => Promise<any>][]} */
function stepsFor({ status, counts }) {
  const { batches } = client;
  if (status === "running") return [["Pause", (id) => batches.pause(id)], ["Cancel", (id) => batches.cancel(id)]];
  if (status === "paused") return [["Resume", (id) => batches.resume(id)], ["Cancel", (id) => batches.cancel(id)]];
  return counts.failed ? [["Retry failed items", (id) => batches.retry(id)]] : [];
}

async function showItems() {
  const status = byId("filter").value;
  /** @type {any[]} */
  const items = [];
  let page = await client.batches.items(id, { page_size: PAGE, ...(status ? { status } : {}) });
  for (items.push(...page.results); page.next && items.length < shown; items.push(...page.results)) {
    page = await client.get(page.next);
  }
  showRows(items);
  byId("more-items").hidden = !page.next;
}

/** What each row of the table shows. @type {WeakMap<Element, string>} */
const told = new WeakMap();

/** Show items in the table; rows that show the same as before stay. @param {any[]} items */
function showRows(items) {
  const place = byId("items");
  for (const [at, item] of items.entries()) {
    const before = place.children[at];
    const state = JSON.stringify(item);
    if (before && told.get(before) === state) continue;
    const made = row(item);
    told.set(made, state);
    if (before) before.replaceWith(made);
    else place.append(made);
  }
  while (place.children.length > items.length) place.lastElementChild.remove();
}

/** @param {any} item */
function row({ key, status, extraction, data, problems, error, cost }) {
  const { word, tone } = stateOf(status);
  const name = extraction ? element("a", { href: `/extract/${extraction}/` }, key) : key;
  const about = error ? errorText(error) : data === null ? problems[0]?.message ?? "" : summaryOf(data);
  return element("tr", {}, element("th", { scope: "row" }, name),
    element("td", {}, element("span", { class: `state ${tone}` }, word)),
    element("td", { class: "about" }, about),
    element("td", { class: "number" }, status === "queued" ? "" : dollars(cost)));
}

/** Return the first values of data, on one line. @param {any} data */
function summaryOf(data) {
  /** @type {string[]} */
  const values = [];
  const collect = (/** @type {any} */ value) => {
    if (typeof value === "object" && value !== null) Object.values(value).forEach(collect);
    else if (value !== null) values.push(String(value));
  };
  collect(data);
  const line = values.join(" · ");
  return line.length > SUMMARY_LENGTH ? `${Array.from(line.slice(0, SUMMARY_LENGTH)).slice(0, -1).join("")}…` : line;
}

let watching = false;

function watchAgain() {
  if (watching) return;
  watching = true;
  watch().catch(tell).finally(() => {
    watching = false;
    document.body.dataset.ready = "";
    showBudget(client).catch(() => {});
    refreshHistory();
  });
}

byId("downloads").append(...FILES.map(([format, label]) =>
  element("a", { class: "button", href: client.batches.results(id, format), download: "" }, icon("download"), label)));
byId("filter").addEventListener("change", () => {
  shown = PAGE;
  showItems().catch(tell);
});
byId("more-items").addEventListener("click", () => {
  shown += PAGE;
  showItems().catch(tell);
});
const refreshHistory = wireHistory(client, tell);
watchAgain();
