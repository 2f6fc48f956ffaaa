/** The amount left of the user's budget. */

import { byId } from "./elements.js";
import { dollars } from "./money.js";

/** Show it, if there is one. @param {import("../client.js").Client} client */
export async function showBudget(client) {
  const { budget } = await client.me();
  const place = byId("budget");
  place.hidden = !budget;
  if (!budget) return;
  const used = Number(budget.spent) + Number(budget.held);
  const left = Math.max(0, Number(budget.limit) - used);
  const [meter, text] = place.children;
  Object.assign(meter, { max: Number(budget.limit), value: used, high: Number(budget.limit) * 0.8 });
  text.textContent = `${dollars(String(left))} of ${dollars(budget.limit)} left this ${budget.period}`;
}
