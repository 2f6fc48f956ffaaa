/** The chat page: its parts, and which conversation is open. */

import { Client } from "../client.js";
import { wireData } from "./archives.js";
import { showBudget } from "./budget.js";
import { Composer } from "./composer.js";
import { Conversation } from "./conversation.js";
import { conversationActions, copyConversation } from "./conversation_actions.js";
import { editQuestion } from "./editing.js";
import { closeDrawer } from "./drawer.js";
import { byId } from "./elements.js";
import { footersOf } from "./footers.js";
import { wireFrame } from "./frame.js";
import { Header } from "./header.js";
import { wireKeyboard } from "./keyboard.js";
import { showMenu } from "./menu.js";
import { Settings } from "./settings.js";
import { Sidebar } from "./sidebar.js";
import { Thread } from "./thread.js";

const client = new Client();
const { tell } = wireFrame(client);
const settings = new Settings(client);
const header = new Header();
/** @type {Conversation} */
let current;

const thread = new Thread(byId("thread"), byId("scroller"), {
  onOlder: () => current.loadOlder(),
  onItem: (item) => footersOf(current).show(item),
});
const composer = new Composer(client, {
  ask: (content, onActive) => current.ask(content, onActive).catch((error) => refused(error, content)),
  stop,
  edit: () => editLast(),
});
const sidebar = new Sidebar(client, { open: (id) => go(id), menu, onError: tell });
const surroundings = {
  onChange: show,
  onCreated: (/** @type {any} */ conversation) => {
    refreshSidebar();
    if (conversation !== current) return;
    history.replaceState(null, "", `/c/${conversation.id}/`);
    composer.moveTo(conversation.id);
  },
  onUpdated: refreshSidebar,
  onError: tell,
  putBack: (/** @type {any[]} */ content) => composer.putBack(content),
};

/** Show what has changed of a conversation. @param {Conversation} conversation */
function show(conversation) {
  if (conversation !== current) return;
  composer.setBusy(conversation.answers.isBusy);
  header.show(conversation, settings.nameOf(conversation.data.model));
  document.body.classList.toggle("empty", thread.items.length === 0);
  document.body.classList.toggle("reads-only", conversation.data.role === "reader");
  if (!conversation.answers.isBusy) showBudget(client).catch(() => {});
}

/** Open a conversation, or a new one (null), as the page's address. @param {string | null} id */
function go(id) {
  history.pushState(null, "", id ? `/c/${id}/` : "/");
  closeDrawer();
  open(id);
}

/** @param {string | null} id */
async function open(id) {
  current?.leave();
  current = new Conversation(client, thread, surroundings, settings.initial);
  thread.replace([], false);
  sidebar.mark(id);
  composer.open(id);
  show(current);
  if (!matchMedia("(pointer: coarse)").matches) composer.focus();
  if (!id) return;
  document.body.classList.remove("empty");
  document.body.classList.add("loading");
  const opened = current;
  await opened.open(id).catch((error) => opened === current && notOpened(error));
  if (opened === current) document.body.classList.remove("loading");
}

/** Tell why a conversation could not be opened; where it is gone, go on with a new one. @param {any} error */
function notOpened(error) {
  tell(error);
  if (error?.status !== 404) return;
  go(null);
  refreshSidebar();
}

/** A new conversation could not be created: the question is not lost. @param {any} error @param {any[]} content */
function refused(error, content) {
  tell(error);
  thread.cutFrom(thread.items.at(-1));
  composer.putBack(content);
  show(current);
}

function stop() {
  current.stop().catch(tell);
}

function editLast() {
  const last = thread.items.findLast((item) => item.kind === "question");
  if (last && !current.answers.isBusy) editQuestion(current, last);
}

/** @param {Record<string, any>} conversation @param {HTMLElement} button */
function menu(conversation, button) {
  showMenu(button, actionsOn(conversation));
}

/** @param {Record<string, any>} conversation @returns {import("./menu.js").Entry[]} */
function actionsOn(conversation) {
  const onDone = (/** @type {boolean} */ isGone) => {
    refreshSidebar();
    if (conversation.id !== current.id) return;
    if (isGone) go(null);
    else current.refresh();
  };
  return conversationActions(client, conversation, { onDone, onCopied: copied, onError: tell });
}

/** Open a copy that has been made. @param {string} id */
function copied(id) {
  go(id);
  refreshSidebar();
}

/** Reload the list of conversations, and mark the open one. */
function refreshSidebar() {
  sidebar.refresh().then(() => sidebar.mark(current.id));
}

function wireButtons() {
  for (const link of document.querySelectorAll("[data-new]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      go(null);
    });
  }
  byId("copy").addEventListener("click", () => copyConversation(client, current.data).then(copied, tell));
  byId("to-end").addEventListener("click", () => thread.toEnd());
  byId("edit-settings").addEventListener("click", editSettings);
  byId("model").addEventListener("click", editSettings);
  byId("more").addEventListener("click", () => {
    const own = current.id ? actionsOn(current.data) : [];
    showMenu(byId("more"), [["Settings", editSettings], ...addTag(), ...own]);
  });
  for (const starter of document.querySelectorAll("[data-ask]")) {
    starter.addEventListener("click", () => composer.fill(/** @type {HTMLElement} */ (starter).dataset.ask ?? ""));
  }
}

/** @returns {import("./menu.js").Entry[]} */
function addTag() {
  return current.id && current.isOwn ? [["Add a tag", () => header.addTag()]] : [];
}

function editSettings() {
  settings.edit(current.data, current.isOwn, (changed) => current.update(changed).catch(tell)).catch(tell);
}

addEventListener("popstate", () => open(idInAddress()));
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) refreshSidebar();
});
wireButtons();
wireData(client, refreshSidebar);
wireKeyboard({ newConversation: () => go(null), focusQuestion: () => composer.focus(), stop });
open(idInAddress());
refreshSidebar();
document.body.dataset.ready = "";

function idInAddress() {
  return /^\/c\/([^/]+)\/$/.exec(location.pathname)?.[1] ?? null;
}
