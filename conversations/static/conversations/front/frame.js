/** The frame of every page: passing messages, the state of the connection, the list at the side. */

import { ApiError } from "../client.js";
import { wireDrawer } from "./drawer.js";
import { byId, element } from "./elements.js";
import { Toast, errorText } from "./notices.js";
import { wireThemeSwitch } from "./theme_switch.js";

/** @typedef {import("../client.js").Client} Client */

/**
 * Wire the frame of the page.
 * @param {Client} client
 * @returns {{toast: Toast, tell: (error: any) => void}} `tell` tells the user of an error
 */
export function wireFrame(client) {
  const toast = new Toast(byId("toast"));
  client.addEventListener("connection", () => showConnection(client));
  wireDrawer();
  wireThemeSwitch(byId("theme"));
  const tell = (/** @type {any} */ error) => {
    if (error?.name === "AbortError") return;
    if (error instanceof ApiError && error.needsLogin) showConnection(client);
    else toast.show(errorText(error));
  };
  return { toast, tell };
}

/** @param {Client} client */
function showConnection(client) {
  const place = byId("connection");
  const login = element("a", { href: `/login/?next=${encodeURIComponent(location.pathname)}` }, "Log in");
  const texts = {
    online: [],
    offline: ["No connection. Answers continue, and are shown when the connection is back."],
    refused: ["You are no longer logged in. ", login],
  };
  place.replaceChildren(...texts[client.connection]);
  place.hidden = client.connection === "online";
}
