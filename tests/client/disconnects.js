/**
 * Asks questions over connections that are cut at random, and compares what is folded with what the server stores.
 * Runs in Node and in browsers.
 */

const TOOLS = [{ name: "look_up", description: "Looks up a tea.", input_schema: { type: "object" } }];
const TEXT = "Grüner Tee 🍵 aus Uji, 宇治茶, schmeckt süß-herb. ".repeat(4);

const CONTACT = {
  type: "object", required: ["name", "email"], additionalProperties: false,
  properties: { name: { type: "string" }, email: { type: "string" } },
};

/** What the sandbox is asked for; together they have every kind of block and delta. */
const QUESTIONS = [
  { content: `[[sandbox: thinking="A thought about tea."; text=${JSON.stringify(TEXT)}; pace=0.01; chunk=7]]` },
  { content: "[[sandbox: words=60; pace=0.01]]" },
  {
    content: '[[sandbox: tool=look_up{"name": "宇治 🍵", "kinds": [1, 2.5, null]}; pace=0.01; then; words=30; pace=0.01]]',
    tools: TOOLS,
  },
  { content: "[[sandbox: citations; words=20; pace=0.01]]" },
];

/**
 * Ask so many questions, and return what went wrong.
 * @param {typeof import("../../conversations/static/conversations/client.js").Client} Client
 * @param {{url: string, token: string, transport: "websocket" | "sse", questions: number, first?: number}} options
 */
export async function run(Client, { url, token, transport, questions, first = 0 }) {
  const client = new Client({ url, token, transport });
  const wrong = [];
  const conversation = await conversationFor(client);
  for (let number = first; number < first + questions; number++) {
    const question = QUESTIONS[number % QUESTIONS.length];
    const answer = client.ask(conversation, { ...question, max_tokens: 4000 });
    const seen = await readAll(client, answer);
    wrong.push(...(await differences(client, answer, seen)));
  }
  wrong.push(...(await extracted(client)));
  client.close();
  return wrong;
}

/**
 * Do the same with several clients at once, each in a conversation of its own.
 * @param {any} Client
 * @param {{clients: number} & Parameters<typeof run>[1]} options
 */
export async function runTogether(Client, { clients, ...options }) {
  const runs = Array.from({ length: clients }, () => run(Client, options));
  return (await Promise.all(runs)).flat();
}

/** Extract something, and return what is wrong with what is folded. @param {any} client */
async function extracted(client) {
  const asked = { schema: CONTACT, content: "Name: Jane 🍵\nEmail: jane@example.com\n[[sandbox: pace=0.05]]" };
  const extracting = client.extractions.extract(asked);
  const positions = await readAll(client, extracting);
  const { data, status, extraction } = extracting.state;
  const stored = await untilAnswered(() => client.extractions.get(extraction.id));
  const wrong = [];
  if (canonical(data) !== canonical(stored.data)) wrong.push(`${canonical(data)} is not ${canonical(stored.data)}`);
  if (status !== "succeeded") wrong.push(`the extraction is ${status}`);
  if (positions.some((position, at) => at > 0 && position <= positions[at - 1])) wrong.push("extraction: back in time");
  return wrong;
}

/** A lost answer may leave an empty conversation behind, which does no harm. @param {any} client */
async function conversationFor(client) {
  return (await untilAnswered(() => client.createConversation())).id;
}

/** Ask until the answer comes through: the library gives up after some time. @param {() => Promise<any>} ask */
async function untilAnswered(ask) {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (error.name !== "ConnectionLost") throw error;
    }
  }
}

/**
 * Read an answer to its end, answer its calls of tools, and return the positions that were seen.
 * @param {any} client
 * @param {any} answer
 */
async function readAll(client, answer) {
  const positions = [];
  for await (const event of answer) {
    positions.push(event.position);
    if (event.type === "message_stop") await answerCalls(client, answer);
  }
  return positions;
}

/** @param {any} client @param {any} answer */
async function answerCalls(client, answer) {
  const results = answer.state.openCalls.map(({ id }) => ({ tool_use_id: id, content: "A green tea." }));
  if (results.length) await client.toolResults((await answer.turn).id, results);
}

/** @param {any} client @param {any} answer @param {number[]} positions */
async function differences(client, answer, positions) {
  const { id } = await answer.turn;
  const stored = await untilAnswered(() => client.turn(id));
  const folded = answer.state.messages.map(({ role, content, stop_reason }) => ({ role, content, stop_reason }));
  const kept = stored.messages.map(({ role, content, stop_reason }) => ({ role, content, stop_reason }));
  const wrong = [];
  if (canonical(folded) !== canonical(kept)) wrong.push(`turn ${id}: ${canonical(folded)} is not ${canonical(kept)}`);
  if (answer.state.status !== stored.status) wrong.push(`turn ${id}: ${answer.state.status} is not ${stored.status}`);
  if (stored.status !== "completed") wrong.push(`turn ${id} is ${stored.status}`);
  if (positions.some((position, at) => at > 0 && position <= positions[at - 1])) wrong.push(`turn ${id}: back in time`);
  if (positions.at(-1) !== stored.position) wrong.push(`turn ${id} was left at ${positions.at(-1)}`);
  return wrong;
}

/** Return JSON with sorted keys. @param {any} value @returns {string} */
function canonical(value) {
  const sorted = (/** @type {string} */ _, /** @type {any} */ each) =>
    each && typeof each === "object" && !Array.isArray(each) ? Object.fromEntries(Object.entries(each).sort()) : each;
  return JSON.stringify(value, sorted);
}
